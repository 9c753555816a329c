"""The reader of cards: each kind of key, right and wrong, and the place of what is wrong."""

from pathlib import Path

import pytest

from durward.catalog.card import CardReader, read_setting
from durward.catalog.document import ProblemsError, parse_document


def reader_of(text: str) -> CardReader:
    document = parse_document(Path("card.toml"), text.encode())
    return CardReader(document, document.data, "", [])


def test_keys_are_taken_by_kind() -> None:
    reader = reader_of('a = " x "\nb = ["1", "2"]\nc = 3\nd = "1h"\n[e]\nf = 1\n[[g]]\nh = 1\n[[g]]\nh = 2')
    assert reader.text("a") == "x"
    assert reader.texts("b") == ("1", "2")
    assert (reader.count("c", 0), reader.count("none", 7)) == (3, 7)
    assert (reader.number("c"), reader.number("d"), reader.number("none")) == (3, 3600, None)
    assert reader.inner("e").table == {"f": 1}
    assert [inner.at for inner in reader.each("g")] == ["g.0", "g.1"]
    assert reader.problems == []


@pytest.mark.parametrize("take", ["text", "texts", "inner", "each", "number"])
def test_what_is_wrong_is_noted_with_its_line(take: str) -> None:
    reader = reader_of("# one\nkey = true\n")
    getattr(reader, take)("key")
    (problem,) = reader.problems
    assert (problem.file, problem.line, problem.key) == ("card.toml", 2, "key")
    assert "expected" in problem.message


def test_a_problem_in_a_table_stands_at_its_line() -> None:
    reader = reader_of('[settings.count]\nkind = "count"\ndefault = "five"\nwhy = "so"')
    assert read_setting(reader.inner("settings").inner("count"), "count") is None
    assert str(reader.problems[0]).startswith("card.toml:3: settings.count.default: 'five' was given; a whole number")


def test_opening_what_is_no_card(tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text("a = \n")
    with pytest.raises(ProblemsError, match=r"broken\.toml:1:"):
        CardReader.open(path)
