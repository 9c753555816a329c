"""What lists and people say of one subject, in the order in which the kernel asks, and which of it decides."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from durward.config.filters import Filter
from durward.config.lists import ListEntry
from durward.config.loading import Lists
from durward.engine.explain import moment, ports_of
from durward.model import EVERYTHING, Network, Scope, Standing, Subject, parse_network
from durward.ruleset.filters import text_of
from durward.ruleset.ranks import RANKS, WORDS, Rank, overrules, rank_of

SHOWN_MAX = 50  # entries of one answer; the lower ones are left out


class Said(NamedTuple):
    """One entry that covers the subject."""

    rank: Rank
    scope: Scope
    fields: dict[str, Any]


def ruled(lists: Lists) -> list[tuple[Rank, ListEntry]]:
    """The filters of the lists that the kernel's sets do not carry, each with its rank."""
    ranks: tuple[tuple[Rank, list[ListEntry]], ...] = (
        ("allow_filter", lists.allow.entries),
        ("deny_filter", lists.deny.entries),
    )
    return [(rank, one) for rank, entries in ranks for one in entries if one.filter and one.scope is None]


def ruling(
    standings: Iterable[Standing], filters: Iterable[tuple[Rank, ListEntry]], subject: Subject
) -> list[dict[str, Any]]:
    """The entries that cover `subject`, the one that decides first at the top; each says what overrules it, if any."""
    said = [_standing(one) for one in standings if one.listing != "ignore"]
    said += _filters(filters, subject.network)
    said.sort(key=lambda one: RANKS.index(one.rank))
    answers: list[dict[str, Any]] = []
    for number, one in enumerate(said[:SHOWN_MAX]):
        above = (other for other in said[:number] if overrules((other.rank, other.scope), one.scope.direction))
        overruling = next(above, None)
        words = {"rank": one.rank, "says": WORDS[one.rank], "passes": one.rank.startswith("allow")}
        answers.append(words | one.fields | {"overruled_by": None if overruling is None else overruling.fields["by"]})
    return answers


def _standing(one: Standing) -> Said:
    fields = {
        "by": f"decision {one.decision}",
        "subject": one.subject.value,
        "traffic": _traffic(one.scope),
        "until": moment(one.until),
    }
    return Said(rank_of(one.listing, one.scope), one.scope, fields)


def _traffic(scope: Scope) -> str:
    ports = ports_of(scope)
    return f"{scope.direction} {ports}" if ports else scope.direction if scope != EVERYTHING else "all"


def _filters(filters: Iterable[tuple[Rank, ListEntry]], network: Network) -> Iterator[Said]:
    for rank, entry in filters:
        if entry.filter is not None and _covers(entry.filter, network):
            place = f"{entry.file.rpartition('/')[2]}:{entry.line}"
            fields = {"by": place, "subject": entry.network, "traffic": text_of(entry.filter), "until": None}
            yield Said(rank, Scope((), entry.filter.direction), fields)


def _covers(rule: Filter, network: Network) -> bool:
    """Whether a filter is about traffic with `network`; what it says of an address of ours is not about others."""
    remote = "source" if rule.direction == "in" else "destination"
    if not rule.network or rule.network_is != remote:
        return False
    named = parse_network(rule.network)
    return named.version == network.version and network.subnet_of(named)  # type: ignore[arg-type]
