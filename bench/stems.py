"""Choose the stems by which the scanner sieves lines, for all cards of the shelf, and write `scan/stems.py`.

    PYTHONPATH=. python -m bench.stems [--check]

A rule is found by a stem of any text that each of its lines contains. So we look for few stems that are in many rules,
in hardly any line of a calm log, and that begin with bytes which are rare there: only those make the search stop.
Nothing is wrong if this is not run after a card has changed; the scanner finds stems for what these leave.
"""

import argparse
import sys
from collections import Counter, defaultdict
from itertools import chain
from math import prod

from bench.calm import access_lines, host_lines, mail_lines
from bench.scanning import SHELF, log_lines

from durward.catalog.service_card import load_services
from durward.scan.ordinary import ORDINARY
from durward.scan.scanner import Scanner

TARGET = SHELF.parent / "scan" / "stems.py"
STEM_BYTES = (4, 5, 6)
START_BYTES = 4  # which the search compares at once
CALM_LINES = 4000  # of each log
STOPS = 3000.0  # how dear it is that the search stops at a stem, in rules that the stem stands for
HEADER = (
    '"""Stems that the cards of the shelf share; written by `python -m bench.stems`, right without being complete."""\n'
)

Choices = frozenset[bytes]
Use = tuple[int, int, bytes]  # of a stem: which rule, which of its choices, which text


def calm() -> bytes:
    """Lines of calm logs of several kinds."""
    logs = (host_lines(CALM_LINES), mail_lines(CALM_LINES), log_lines(CALM_LINES, 0.0, "traditional"))
    return "".join(chain(*logs, access_lines(CALM_LINES // 4))).encode() + ORDINARY


def rules_of_the_shelf() -> list[tuple[Choices, ...]]:
    """For each rule the choices of texts of which its lines contain one, each combination once."""
    rules = Scanner(load_services([SHELF])).rules
    return sorted({(rule.literals, *rule.required) for rule in rules}, key=lambda choices: sorted(map(sorted, choices)))


class Cover:
    """Stems for rules: which are chosen, and which rules they find."""

    def __init__(self, rules: list[tuple[Choices, ...]], log: bytes) -> None:
        self.rules = rules
        self.missing = {
            (rule, place): set(choices) for rule, every in enumerate(rules) for place, choices in enumerate(every)
        }
        self.found: set[int] = set()
        self.uses: dict[bytes, set[Use]] = defaultdict(set)
        for (rule, place), texts in self.missing.items():
            for text in texts:
                for stem in _stems(text):
                    self.uses[stem].add((rule, place, text))
        self.dear = _dear(self.uses, log)

    def chosen(self) -> list[bytes]:
        """Stems, the most useful first, until every rule is found that can be."""
        stems: list[bytes] = []
        while any(self.uses.values()):
            stem = max(self.uses, key=lambda one: (self.worth(one), one))
            for rule, place, text in self.uses[stem]:
                self.missing[rule, place].discard(text)
                if not self.missing[rule, place]:
                    self.found.add(rule)
            stems.append(stem)
            self.uses = {one: left for one, uses in self.uses.items() if (left := set(filter(self.is_needed, uses)))}
        return _needed(stems, self.rules)

    def is_needed(self, use: Use) -> bool:
        """Whether a text still wants a stem."""
        rule, place, text = use
        return rule not in self.found and text in self.missing[rule, place]

    def worth(self, stem: bytes) -> float:
        """How much of how many rules a stem stands for, by how often the search would stop for it."""
        best: Counter[int] = Counter()
        shares: Counter[tuple[int, int]] = Counter((rule, place) for rule, place, _ in self.uses[stem])
        for (rule, place), count in shares.items():
            best[rule] = max(best[rule], count / len(self.rules[rule][place]) ** 1.5)  # type: ignore[assignment]
        return sum(best.values()) / (1 + self.dear[stem])


def _stems(text: bytes) -> set[bytes]:
    return {text[place : place + size] for size in STEM_BYTES for place in range(len(text) - size + 1)}


def _dear(stems: dict[bytes, set[Use]], log: bytes) -> dict[bytes, float]:
    """How dear each stem is: what stands in the log often, and what begins with bytes that do."""
    share = {value: (count + 1) / len(log) for value, count in Counter(log).items()}
    starts = Counter(log[place : place + START_BYTES] for place in range(len(log)))
    per_line = log.count(b"\n")
    found: dict[bytes, float] = {}
    for stem in stems:
        likely = prod(share.get(value, 1 / len(log)) for value in stem[:START_BYTES]) ** 0.5
        standing = log.count(stem) / per_line if starts[stem[:START_BYTES]] else 0.0
        found[stem] = STOPS * standing + likely * 1000 + 20 * starts[stem[:START_BYTES]] / per_line
    return found


def _needed(stems: list[bytes], rules: list[tuple[Choices, ...]]) -> list[bytes]:
    """The stems without those that others make superfluous, the last chosen first."""
    kept = list(stems)
    for stem in reversed(stems):
        others = [one for one in kept if one != stem]
        if all(_is_found(rule, others) or not _is_found(rule, kept) for rule in rules if _has(rule, stem)):
            kept = others
    return kept


def _has(rule: tuple[Choices, ...], stem: bytes) -> bool:
    return any(stem in text for choices in rule for text in choices)


def _is_found(rule: tuple[Choices, ...], stems: list[bytes]) -> bool:
    return any(all(any(stem in text for stem in stems) for text in choices) for choices in rule)


def module(stems: list[bytes]) -> str:
    """The module's text."""
    texts = [_quoted(stem) for stem in sorted(stems)]
    return HEADER + "\n# fmt: off\nSTEMS: tuple[bytes, ...] = (\n" + fill(texts) + "\n)\n"


def fill(texts: list[str]) -> str:
    """The texts in indented lines."""
    lines, line = [], "   "
    for text in texts:
        if len(line) + len(text) > 116:
            lines.append(line)
            line = "   "
        line += f" {text},"
    return "\n".join([*lines, line])


def _quoted(stem: bytes) -> str:
    inner = repr(stem)[2:-1].replace("\\'", "'")
    return f"b'{inner}'" if '"' in inner and "'" not in inner else 'b"' + inner.replace('"', '\\"') + '"'


def main() -> None:
    """Read the arguments, choose, and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="write nothing; say how many stems there would be")
    arguments = parser.parse_args()
    rules = rules_of_the_shelf()
    cover = Cover(rules, calm())
    stems = cover.chosen()
    print(f"{len(stems)} stems find {len(cover.found)} of {len(rules)} rules")
    if not arguments.check:
        TARGET.write_text(module(stems))


if __name__ == "__main__":
    sys.exit(main())
