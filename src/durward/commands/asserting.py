"""What apply asks of policy.assert: is every line true of the firewall that is to be applied?"""

from durward.catalog.document import ProblemsError
from durward.commands.asking import GENERATION, listed_for, rules_for, stands_for
from durward.commands.verb import Exit, fail
from durward.config.assertions import FILE_NAME, read_assertions
from durward.config.home import Home
from durward.config.loading import Lists
from durward.config.settings import Settings
from durward.facts.packet import Packet
from durward.ruleset.journey import Journey
from durward.ruleset.policy import Policy


def refuse_broken(home: Home, settings: Settings, lists: Lists, policy: Policy) -> None:
    """End the verb where `policy` breaks a line of policy.assert. Raises ProblemsError for lines that are none."""
    from durward.facts.asserting import addresses_of, broken
    from durward.facts.failure import FactsError
    from durward.facts.interfaces import interfaces
    from durward.facts.packet import Ways

    found = read_assertions(home.etc / FILE_NAME)
    if found.problems:
        raise ProblemsError(found.problems)
    if not found.entries:
        return
    try:
        ways = Ways(interfaces())
        addresses = [one for assertion in found.entries for one in addresses_of(assertion, ways)]
        stands = stands_for(home, lists, addresses)
        tried = [one for index, each in enumerate(found.entries) for one in addresses_of(each, ways, index)]
        listed = listed_for(home, policy, tried)
        wrong = broken(rules_for(policy, settings, stands.standings, listed), found.entries, ways)
    except FactsError as error:
        fail(Exit.REFUSED, f"{FILE_NAME} cannot be checked: {error}; --force applies without")
    if wrong:
        lines = [f"{len(wrong)} of {len(found.entries)} lines of {FILE_NAME} would not be true:"]
        lines += [f"{one.assertion}: {said(one.packet, one.journey, policy)}" for one in wrong]
        fail(Exit.REFUSED, "\n".join([*lines, "Nothing was changed; --force applies all the same."]))


def said(packet: Packet, journey: Journey, policy: Policy | None) -> str:
    """What became of a packet, in one line: `198.51.100.7 is refused: … (rule: …)`."""
    from durward.ruleset.journey import step_of

    remote = packet.source if packet.direction == "in" else packet.destination
    rule = f" (rule: {journey.rule})" if journey.rule else ""
    return f"{remote} {'passes' if journey.passes else 'is refused'}: {step_of(journey, policy, GENERATION)}{rule}"
