"""FactsError: a fact about the host that could not be learnt."""


class FactsError(Exception):
    """The host did not tell; the message says what was asked, and what came instead."""
