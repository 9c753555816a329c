"""Whether the kernel takes rules: they are loaded into a throw-away network, and the host's own is not touched."""

from durward.facts.asking import answer_of
from durward.facts.failure import FactsError
from durward.facts.throwaway import in_throwaway_network


def complaint_about(rules: str) -> str:
    """What nft or the kernel says against `rules`, nftables text; empty where they are taken.

    Needs root. Raises FactsError where they cannot be tried.
    """
    return str(in_throwaway_network(lambda: _complaint(rules)))


def _complaint(rules: str) -> str:
    answer_of("nft", "list", "tables")  # nft is there, and may be asked
    try:
        answer_of("nft", "-f", "-", given=rules)
    except FactsError as error:
        return str(error)
    return ""
