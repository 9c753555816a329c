"""The cases of the firewall: a policy, the text that it gives, and what packets are to find.

To write the texts anew after a change that is meant: `.venv/bin/python -m tests.ruleset.golden --update`, then read the
difference.
"""

import runpy
import sys
from pathlib import Path
from typing import NamedTuple

from durward.ruleset.firewall import firewall
from durward.ruleset.policy import Policy

CASES = Path(__file__).with_name("cases")
GENERATION = "a"


class Case(NamedTuple):
    """One folder of cases/. `expected` has a line for each probe: way, protocol, port, the other end, what happens."""

    name: str
    policy: Policy
    expected: tuple[str, ...]

    @property
    def golden(self) -> Path:
        return CASES / self.name / "golden.nft"


def cases() -> list[Case]:
    """All cases, by name."""
    return [_case(path) for path in sorted(CASES.glob("*/policy.py"))]


def _case(path: Path) -> Case:
    found = runpy.run_path(str(path))
    lines = [line.strip() for line in found["EXPECTED"].splitlines()]
    return Case(path.parent.name, found["POLICY"], tuple(line for line in lines if line))


def update() -> None:
    """Write every golden text as it is now."""
    for case in cases():
        case.golden.write_text(firewall(case.policy, GENERATION))


if __name__ == "__main__":
    if sys.argv[1:] != ["--update"]:
        sys.exit(__doc__)
    update()
