"""Countries and networks by number: what is one, and which file holds which."""

import pytest

from durward.catalog.countries import feed_of, file_of, parse_places, place_of


def test_places_are_read() -> None:
    assert parse_places(["nl", " DE ", "as64500", "AS064500", "NL", "as"]) == ("NL", "DE", "AS64500", "AS")
    assert parse_places([]) == ()


@pytest.mark.parametrize(
    "value",
    ["NL", [1], ["NLD"], ["N1"], ["AS0"], ["AS4294967296"], ["AS-1"], ["64500"], ["ÄÖ"], [""], ["NL"] * 1001],
)
def test_what_is_none_is_refused(value: object) -> None:
    with pytest.raises(ValueError):
        parse_places(value)


def test_files_are_named_after_places_and_feeds() -> None:
    assert [file_of(place) for place in ("NL", "AS64500")] == ["country-nl.txt", "as64500.txt"]
    assert [place_of(name) for name in ("country-nl.txt", "as64500.txt")] == ["NL", "AS64500"]
    assert feed_of("feed-some-list.txt") == "some-list"
    for name in ("country-nld.txt", "as.txt", "feed-x.txt", "country-nl.txt.new"):
        assert place_of(name) is None
    for name in ("feed-.txt", "feed-../x.txt", "country-nl.txt", "feed-x.txt.new", "feed-X.txt"):
        assert feed_of(name) is None
