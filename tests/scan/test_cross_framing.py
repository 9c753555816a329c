"""Nobody is framed across cards: what a stranger says in a line of one service is no line of another one.

`durward scan` reads each line by every card. So into every gap of every example go the other cards' own lines, naming a
victim, in the forms in which they may be smuggled in; no event may name him. The quick part takes one of a few examples
and draws once for each, always the same; the slow part takes them all and draws many more.
"""

import random
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.scan.strangers import LONG, VICTIM, WRAPPERS, Plot, Stage, plots, stages
from tests.scan.test_injection import PEER, RULES, filled, in_envelopes, named
from tests.test_cards import EVERYTHING, NOW

from durward.scan.holes import ADDRESS_HOLES, Group, Hole, Repeat, holes_of
from durward.scan.rule import Rule
from durward.scan.timestamps import Calendar

LINES_AT_ONCE = 1000
SLOW_ROUNDS = 8
LONG_ONE_IN = 40  # plots that are stuffed
QUICK_ONE_IN = 4  # examples that are stages in the quick part, and those that are plots


@cache
def every_stage() -> list[Stage]:
    return list(stages())


@cache
def some_stages() -> list[Stage]:
    return list(stages(QUICK_ONE_IN))


@cache
def plots_by_service(one_in: int = 1) -> dict[str, list[Plot]]:
    found: defaultdict[str, list[Plot]] = defaultdict(list)
    for plot in dict.fromkeys(plots(one_in)):
        found[plot.service].append(plot)
    return dict(found)


def framed(lines: list[str]) -> list[str]:
    """Those of the lines of which an event names the victim."""
    found: list[str] = []
    for first in range(0, len(lines), LINES_AT_ONCE):
        encoded = [one.replace("\n", "\\n").encode("utf-8", "surrogatepass") for one in lines[first:][:LINES_AT_ONCE]]
        starts, position = {}, 0
        for line in encoded:
            starts[position] = line
            position += len(line) + 1
        events = EVERYTHING.events(
            b"\n".join(encoded) + b"\n",
            source="t",
            position=0,
            observed_at=NOW,
            calendar=Calendar(NOW),
            services=None,
        )
        named_in = [event for event in events if VICTIM in (event.source_ip, event.source_host)]
        found += [f"{event.service}: {starts[int(event.position)][:600]!r}" for event in named_in]
    return found


def said(chance: random.Random, one_in: int = 1) -> str:
    """What a stranger says: a line of some service, each service as likely as the others, in one of its forms."""
    known = plots_by_service(one_in)
    plot = chance.choice(known[chance.choice(list(known))])
    wrapper = chance.choice(LONG) if not chance.randrange(LONG_ONE_IN) else chance.choice(("{}", *WRAPPERS))
    return wrapper.format(plot.text, plot.text)


def lines_of(stage: Stage, chance: random.Random, rounds: int) -> Iterator[str]:
    gaps = [None] if len(stage.fits) == 1 else [None, *range(len(stage.fits))]
    for _ in range(rounds):
        yield from (stage.line(said(chance), gap) for gap in gaps)


@pytest.mark.slow
def test_the_stage_is_set() -> None:
    """Each card has gaps to fill, but for those of which no line holds a stranger's text; and there is much to say."""
    assert len({stage.service for stage in every_stage()}) > 150
    assert len(every_stage()) > 1500
    assert len(plots_by_service()) > 150


PAM_OF_A_HOST = (
    "Nov 23 08:10:00 web1 pure-ftpd: pam_unix(pure-ftpd:auth): authentication failure; logname= uid=0 euid=0 "
    "tty=pure-ftpd ruser=x rhost=web1  user=x rsh[4242]: pam_unix(rsh:auth): authentication failure; rhost={}"
)
MESSAGE_OF_ANOTHER = (
    '{{"t":{{"$date":"x"}},"s":"I","c":"x","id":22943,"ctx":"x","msg":"Failed login detected - Username[bob] '
    'ClientAddress[{}] ForwardedFor[-] XRealIp[-] UserAgent[x]","attr":{{"remote":"192.0.2.4:53276"}}}}'
)


@pytest.mark.parametrize("line", [PAM_OF_A_HOST, MESSAGE_OF_ANOTHER])
def test_what_once_framed_somebody(line: str) -> None:
    assert not framed([line.format(VICTIM)])


def test_somebody_would_be_seen() -> None:
    assert framed([f"Nov 23 08:10:00 web1 sshd[1]: Failed password for root from {VICTIM} port 22 ssh2"])


def test_no_line_of_another_service_frames_anybody() -> None:
    chance, lines = random.Random(7), list[str]()
    for stage in some_stages():
        lines.append(stage.line(said(chance, QUICK_ONE_IN), chance.choice([None, *range(len(stage.fits))])))
    assert len(lines) > 400
    assert not framed(lines)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SLOW_ROUNDS))
def test_nor_do_many(seed: int) -> None:
    chance = random.Random(seed)
    assert not framed([line for stage in every_stage() for line in lines_of(stage, chance, 1)])


@given(st.randoms(use_true_random=False), st.text(max_size=6), st.text(max_size=6))
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_with_anything_around_it(chance: random.Random, before: str, behind: str) -> None:
    stage = chance.choice(some_stages())
    text = before + said(chance, QUICK_ONE_IN) + behind
    assert not framed([stage.line(text, gap) for gap in (None, chance.randrange(len(stage.fits)))])


def behind_something_optional(rule: Rule) -> bool:
    """Whether an address stands behind a part that may be missing, into which a stranger might lead the reader."""
    optional = False
    for node in rule.sequence:
        if isinstance(node, Repeat) and node.least == 0 and isinstance(node.node, Group) and holes_of((node,)):
            optional = True
        elif optional and isinstance(node, Hole) and node.name in ADDRESS_HOLES:
            return True
    return False


OPTIONAL = [rule for rule in RULES if behind_something_optional(rule)]


def test_a_part_that_is_missing_is_not_made_up() -> None:
    """The line has nothing in the place of its optional parts; the stranger's text is what could stand there."""
    assert not framed(without_the_optional(OPTIONAL[:: QUICK_ONE_IN * 2]))


@pytest.mark.slow
def test_nor_is_one_of_any_rule() -> None:
    assert len(OPTIONAL) > 100
    assert not framed(without_the_optional(OPTIONAL))


def without_the_optional(rules: list[Rule]) -> list[str]:
    lines: list[str] = []
    for rule in rules:
        made_up = filled(rule.sequence, named(VICTIM), {"text": "x", "host": "x"}, lambda count: min(1, count - 1))
        places = [place for place, sign in enumerate(made_up) if place == 0 or made_up[place - 1] in " (["]
        for text in (made_up[place:] for place in places):
            for said_there in (text, f"x {text}", f"{text} x"):
                message = filled(rule.sequence, named(PEER), {"text": said_there, "host": "x"}, lambda _: 0)
                lines.append(in_envelopes(rule, message)[0])
    return lines
