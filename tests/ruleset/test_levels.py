"""The names of sets are unique, and short enough for the kernel."""

from durward.ruleset.levels import shapes


def test_names_are_unique_and_fit() -> None:
    names = [shape.name for shape in shapes(56)]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) < 128
