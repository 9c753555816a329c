"""Draws lines by which a stranger might frame somebody, for as long as one likes: `just frame`.

The tests of framing draw a few thousand lines, always the same. Here each round draws for every gap of every example,
harsher than they do: from the middle of another service's line, two in a row, wrapped more than once, with signs before
and behind that end a field somewhere. A round is known by its number, so what it finds can be found again.
"""

import argparse
import random
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed

from tests.scan.strangers import WRAPPERS, Stage
from tests.scan.test_cross_framing import every_stage, framed, said

SIGNS = (
    "",
    "",
    " ",
    "[",
    "]",
    "(",
    ")",
    "<",
    ">",
    '"',
    "'",
    "{",
    "}",
    ",",
    ";",
    ":",
    "=",
    "|",
    "-",
    "x",
    "\\",
    "/",
    "%",
)
UNSEEN = ("\x00", "\x1b", "\x85", "\u2028", "\xa0", "\u200b", "\r", "\t", "\uff3d")


def main() -> int:
    """Gives the status of the program: 1 if anybody was framed."""
    asked = _asked()
    found, drawn = [], 0
    with ProcessPoolExecutor(asked.jobs) as pool:
        rounds = {pool.submit(draw, number): number for number in range(asked.first, asked.first + asked.rounds)}
        for done, ended in enumerate(as_completed(rounds), 1):
            lines, framing = ended.result()
            drawn += lines
            found += framing
            for line in framing:
                sys.stdout.write(f"round {rounds[ended]}: {line}\n")
            sys.stdout.write(f"{done} of {len(rounds)} rounds, {drawn:,} lines, {len(found)} framed somebody\n")
            sys.stdout.flush()
    return min(1, len(found))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="just frame", description=__doc__.splitlines()[0])
    parser.add_argument("first", type=int, nargs="?", default=0, help="number of the first round (0)")
    parser.add_argument(
        "rounds", type=int, nargs="?", default=40, help="how many rounds, of some 6,000 lines each (40)"
    )
    parser.add_argument("--jobs", type=int, default=2, help="rounds at once (2)")
    return parser.parse_args()


def draw(number: int) -> tuple[int, list[str]]:
    """How many lines a round has, and those that framed somebody."""
    chance = random.Random(f"framing {number}")
    lines = [line for stage in every_stage() for line in _lines_of(stage, chance)]
    return len(lines), framed(lines)


def _lines_of(stage: Stage, chance: random.Random) -> Iterator[str]:
    """The same text in every gap, one in each gap alone, and another in each."""
    yield stage.line(_harsh(chance))
    if len(stage.fits) > 1:
        yield from (stage.line(_harsh(chance), gap) for gap in range(len(stage.fits)))
        texts = [fit(_harsh(chance)) for fit in stage.fits]
        yield stage.pieces[0] + "".join(map(str.__add__, texts, stage.pieces[1:]))


def _harsh(chance: random.Random) -> str:
    text = said(chance)
    if not chance.randrange(3):
        text = _from_a_word_on(text, chance)
    if not chance.randrange(6):
        text += chance.choice((" ", "\r", ": ", '"')) + said(chance)
    for _ in range(chance.choice((0, 0, 1, 2))):
        text = chance.choice(WRAPPERS).format(text, text)[:20_000]
    return _signs(chance) + text + _signs(chance)


def _from_a_word_on(text: str, chance: random.Random) -> str:
    words = text.split(" ")
    return " ".join(words[chance.randrange(len(words)) :])


def _signs(chance: random.Random) -> str:
    return "".join(chance.choice(SIGNS if chance.randrange(8) else UNSEEN) for _ in range(chance.choice((0, 1, 1, 2))))


if __name__ == "__main__":
    sys.exit(main())
