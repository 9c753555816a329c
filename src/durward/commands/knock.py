"""durward knock: one signed datagram that opens SSH of a locked host for one address, for some minutes."""

import math
import os
from datetime import UTC, datetime
from typing import Any

import click

from durward.commands.terminal import bold, emit, inert
from durward.commands.verb import Exit, fail, verb
from durward.model import Address, parse_address, parse_duration
from durward.model.knock import MINUTES_MAX, PORT_USUAL, InvalidKnockError, host_name


@verb("knock")
@click.argument("host")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=PORT_USUAL,
    show_default=True,
    metavar="N",
    help="The UDP port in the host's settings.",
)
@click.option("--key", metavar="FILE", help="The private key.  [default: ~/.ssh/id_ed25519, or what ssh-agent holds]")
@click.option("--for", "duration", default="10m", show_default=True, metavar="5m", help="How long: 1m to 10m.")
@click.option("--open-for", "other", metavar="ADDRESS", help="Open for this address.  [default: the one you send from]")
@click.option("--name", metavar="NAME", help="What the host calls itself, if not HOST.")
@click.option("-4", "--4", "four", is_flag=True, help="Use IPv4.")
@click.option("-6", "--6", "six", is_flag=True, help="Use IPv6.")
def command(
    *,
    host: str,
    port: int,
    key: str | None,
    duration: str,
    other: str | None,
    name: str | None,
    four: bool,
    six: bool,
    as_json: bool,
) -> None:
    """Get in again to SSH on HOST, where durward has blocked you or the port is closed: knock, then connect.

    One datagram, signed with your Ed25519 key of SSH, opens SSH there for the address that you have, and for nobody
    else. Connections that you open meanwhile stay. It needs neither root nor durward's daemons here; on HOST,
    `[firewall.authorised_knock]` has to name a port, and your public key has to be in knock_keys.

    \b
    durward knock web1.example.com && ssh web1.example.com
    durward knock 192.0.2.10 --key ~/.ssh/work --for 2m
    durward knock web1 --open-for 203.0.113.7    you are behind NAT: the address by which others see you

    Nobody answers a knock, right or wrong: only SSH tells whether it was heard. It counts once, within a minute of
    being made, for a host that is called HOST or reached by that address; the clocks of both have to be right.
    """  # noqa: D301 — click wants the backspace itself, before lines that it is to leave alone
    minutes = _minutes(duration)
    if four and six:
        fail(Exit.WRONG, "either --4 or --6")
    answer = _knocked(
        host, port, key, minutes=minutes, other=other, name=name, version=4 if four else 6 if six else None
    )
    emit(answer) if as_json else click.echo(page(answer))


def _knocked(
    host: str, port: int, key: str | None, *, minutes: int, other: str | None, name: str | None, version: int | None
) -> dict[str, Any]:
    """Send the knock; what is wrong ends the verb."""
    from durward.control.ed25519 import Ed25519Error
    from durward.control.knocking import KnockingError, find_signer, find_way, send_knock
    from durward.control.ssh_keys import SshKeyError

    try:
        called = host_name(name or host)
        signer = find_signer(key, os.environ)
        way = find_way(host.strip("[]"), port, version)
        address = parse_address(other) if other else way.source
        knock = send_knock(way, called, address, minutes, signer)
    except (KnockingError, Ed25519Error) as error:
        fail(Exit.NO, str(error))
    except (SshKeyError, InvalidKnockError, ValueError) as error:
        fail(Exit.WRONG, str(error))
    except OSError as error:
        fail(Exit.WRONG, f"{error.filename or host}: {error.strerror}")
    return {
        "host": host,
        "name": called,
        "address": str(way.address),
        "port": port,
        "source": str(way.source),
        "opens_for": str(address),
        "minutes": minutes,
        "key": signer.named,
        "fingerprint": signer.fingerprint,
        "signed_by": "agent" if signer.agent else "file",
        "sent_at": datetime.fromtimestamp(knock.sent_at / 1000, UTC).isoformat(timespec="milliseconds"),
        "nonce": knock.nonce.hex(),
        "behind_nat": other is None and _is_inside(way.source) and not _is_inside(way.address),
    }


def page(answer: dict[str, Any]) -> str:
    """What was done, and what to do next."""
    where = f"{inert(answer['host'])} ({answer['address']}, UDP port {answer['port']})"
    lines = [
        f"Knocked at {where}: SSH is to open for {bold(answer['opens_for'])}, for {answer['minutes']} min.",
        f"  Signed with  {inert(answer['key'])} ({answer['fingerprint']})",
        f"  Signed for   {answer['name']}; where the host does not call itself so, it does not listen (--name)",
    ]
    if answer["behind_nat"]:
        inner = f"  {answer['source']} is an address of your own network"
        lines.append(f"{inner}. If the host sees another one:  durward knock … --open-for THAT")
    return "\n".join([*lines, f"  Now:  {bold('ssh ' + inert(answer['host']))}"])


def _minutes(text: str) -> int:
    minutes = math.ceil(parse_duration(text) / 60)
    if not 1 <= minutes <= MINUTES_MAX:
        fail(Exit.WRONG, f"--for: 1m to {MINUTES_MAX}m were expected, not {text}")
    return minutes


def _is_inside(address: Address) -> bool:
    """Whether an address is one that only its own network knows."""
    return address.is_private and not address.is_loopback
