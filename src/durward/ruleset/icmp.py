"""ICMP as RFC 4890 wants it: what the internet needs to work always passes, the rest is limited or dropped."""

from durward.catalog.traffic import Rate
from durward.ruleset.fragment import Fragment
from durward.ruleset.limits import note_beyond, ping_flood, sets_beyond
from durward.ruleset.matching import (
    VERSIONS,
    by_interface,
    chain,
    meter,
    of_version,
    rate_text,
    source_of,
    with_comment,
)
from durward.ruleset.policy import Policy

IS_ICMP = "meta l4proto { icmp, ipv6-icmp }"
ERRORS_V4 = "destination-unreachable, time-exceeded, parameter-problem"
ERRORS_V6 = "destination-unreachable, packet-too-big, time-exceeded, parameter-problem"
# They are valid only from the same link, which the hop limit proves: every router counts it down.
NEIGHBOURS = "nd-router-solicit, nd-neighbor-solicit, nd-neighbor-advert, 141, 142, 148, 149"
LISTENERS = "mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report, 151, 152, 153"
FRAGMENTS = (
    "ip protocol icmp ip frag-off & 0x3fff != 0 counter drop",
    "meta l4proto ipv6-icmp exthdr frag exists counter drop",
)
METER_SECONDS_MIN = 60


def fragment(policy: Policy, generation: str) -> Fragment:
    """The chains `icmp_<g>` (judges all but echo requests) and `echo_<g>` (these, once the lists have been asked)."""
    limited = _limited(policy, generation)
    chains = (
        chain(f"icmp_{generation}", _judged(policy, generation)),
        chain(f"echo_{generation}", _echo(policy, generation, limited.arriving)),
    )
    return Fragment(sets=limited.sets, chains=(*chains, *limited.chains), early=_early(policy))


def always_leaving() -> tuple[str, ...]:
    """What this host must be able to say, or its neighbours lose it."""
    return (
        f"icmpv6 type {{ {NEIGHBOURS}, nd-router-advert, {LISTENERS} }} accept",
        "ip protocol igmp accept",
    )


def _judged(policy: Policy, generation: str) -> list[str]:
    redirect = "accept" if policy.icmp.accepts_redirects else "counter drop"
    advert = "accept" if policy.icmp.accepts_router_adverts else "counter drop"
    return [
        f"icmp type {{ {ERRORS_V4} }} accept",
        f"icmpv6 type {{ {ERRORS_V6} }} accept",
        f"icmpv6 type {{ {NEIGHBOURS} }} ip6 hoplimit 255 accept",
        f"icmpv6 type nd-router-advert ip6 hoplimit 255 {advert}",
        f"icmpv6 type {{ {LISTENERS} }} ip6 hoplimit 1 accept",
        f"icmp type redirect {redirect}",
        f"icmpv6 type nd-redirect ip6 hoplimit 255 {redirect}",
        "icmp type echo-request return",
        "icmpv6 type echo-request return",
        "ct state established accept",
        f"goto refused_{generation}",
    ]


def _echo(policy: Policy, generation: str, limits: tuple[str, ...]) -> list[str]:
    if not policy.icmp.answers_ping:
        return [f"goto refused_{generation}"]
    return [f"meta length > {policy.icmp.bytes_max} counter drop", *limits, "accept"]


def _limited(policy: Policy, generation: str) -> Fragment:
    """What is asked of an echo request, as `arriving`, and where one that is too many goes."""
    rate, prefix = policy.ping, policy.block_prefix_v6
    if rate is None or not policy.icmp.answers_ping:
        return Fragment()
    if rate.per == "total":
        return Fragment(arriving=(f"{rate_text(rate, over=True)} counter drop",))
    limit = ping_flood(rate, prefix)
    sets, rules = [], []
    for version in VERSIONS:
        sets.append(meter(limit.meter(version), f"ipv{version}_addr", _memory_seconds(rate)))
        over = f"update @{limit.meter(version)} {{ {source_of(version, prefix)} {rate_text(rate, over=True)} }}"
        rules.append(f"{of_version(version)} {over} counter goto ping_flood_{generation}")
    ending = chain(
        f"ping_flood_{generation}", [*note_beyond(limit, prefix), with_comment("counter drop", "ping_flood")]
    )
    return Fragment(sets=(*sets, *sets_beyond(limit)), chains=(ending,), arriving=tuple(rules))


def _memory_seconds(rate: Rate) -> int:
    """As long as an empty bucket needs to be full again; to forget it sooner would be to forgive."""
    return max(METER_SECONDS_MIN, rate.seconds * rate.burst // rate.count)


def _early(policy: Policy) -> tuple[str, ...]:
    if not policy.icmp.refuses_fragments:
        return ()
    spared = ["lo", *(one.name for one in policy.interfaces if one.role != "public")]
    return (f"{by_interface('iifname', spared)} accept", *FRAGMENTS)
