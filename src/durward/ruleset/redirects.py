"""Redirects: what is sent to one port of this host goes to another one, here or on another machine."""

from durward.catalog.traffic import PortRange
from durward.model import Network
from durward.ruleset.fragment import Fragment
from durward.ruleset.matching import (
    InvalidPolicyError,
    by_interface,
    network_of,
    of_network,
    to_ports,
    with_comment,
)
from durward.ruleset.policy import Policy, Redirect

NAME = "redirects"
HERE = "fib daddr type local"


def fragment(policy: Policy, generation: str) -> Fragment:
    """The translations, and that what was translated is let through: the line in the list is the permission.

    Masquerades only what leaves for another machine that would answer past us. Raises InvalidPolicyError.
    """
    del generation  # there are no chains of its own
    parts = [_redirect(policy, redirect) for redirect in policy.redirects]
    return sum(parts, Fragment())


def _redirect(policy: Policy, redirect: Redirect) -> Fragment:
    asked = None if redirect.address is None else _host(redirect.address)
    target = None if redirect.to_address is None else _host(redirect.to_address)
    _check(redirect, asked, target)
    family = f"meta nfproto ipv{target.version} " if target is not None and asked is None else ""
    arriving = f"{family}{HERE if asked is None else of_network(asked, 'daddr')} {_port(redirect, redirect.port)}"
    translated = ["ct status dnat", _port(redirect, redirect.port, translated=True)]
    translated += [] if asked is None else [of_network(asked, "daddr", translated=True)]
    translated.append(HERE if target is None else of_network(target, "daddr"))
    if redirect.to_port is not None:
        translated.append(_port(redirect, redirect.to_port))
    known = " ".join(translated)
    outside = f"{by_interface('oifname', policy.inner_interfaces, but=True)} " if policy.inner_interfaces else ""
    masked = target is not None and not redirect.keeps_source
    return Fragment(
        nat_arriving=(with_comment(f"{arriving} {_translation(redirect, target)}", NAME),),
        accepting=(with_comment(f"{known} accept", NAME),),
        nat_routed=(with_comment(f"{known} {outside}masquerade", NAME),) if masked else (),
    )


def _host(text: str) -> Network:
    network = network_of(text)
    if network.num_addresses != 1:
        raise InvalidPolicyError(f"{text!r} is a network; a redirect has one address at each end")
    return network


def _check(redirect: Redirect, asked: Network | None, target: Network | None) -> None:
    if asked is not None and target is not None and asked.version != target.version:
        raise InvalidPolicyError(f"{redirect.address} and {redirect.to_address} are of two address families")
    if target is None and (redirect.port is None or redirect.to_port is None):
        raise InvalidPolicyError("a redirect within this host has a port at each end")
    if redirect.port is None and redirect.to_port is not None:
        raise InvalidPolicyError(f"a redirect of all ports cannot end at port {redirect.to_port} alone")
    if redirect.port is None and asked is None:
        raise InvalidPolicyError("a redirect of all ports of all addresses would leave nothing of this host")


def _port(redirect: Redirect, port: int | None, *, translated: bool = False) -> str:
    if port is None:
        return f"meta l4proto {redirect.protocol}"
    return to_ports(redirect.protocol, (PortRange(port, port),), translated=translated)


def _translation(redirect: Redirect, target: Network | None) -> str:
    if target is None:
        return f"redirect to :{redirect.to_port}"
    word = "ip" if target.version == 4 else "ip6"
    address = str(target.network_address)
    if redirect.to_port is None:
        return f"dnat {word} to {address}"
    return f"dnat {word} to {address if target.version == 4 else f'[{address}]'}:{redirect.to_port}"
