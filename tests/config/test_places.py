"""Places whose sources are not counted: their files, changed, gone and wrong."""

import os
from pathlib import Path

from durward.config.places import Places, absent
from durward.model import parse_address


def test_files_are_read_when_they_change(tmp_path: Path) -> None:
    (tmp_path / "country-nl.txt").write_text("203.0.113.0/24\n2001:db8::/32\n")
    places = Places(tmp_path, ["NL", "AS64500"])
    assert places.read()
    assert places.networks.covers("203.0.113.9") == "exemptions.countries: NL"
    assert places.networks.covers(parse_address("2001:db8::1")) == "exemptions.countries: NL"
    assert places.networks.covers("198.51.100.1") is None
    (problem,) = places.problems
    assert "as64500.txt is not there" in str(problem)
    assert not places.read()
    (tmp_path / "as64500.txt").write_text("198.51.100.0/24\nnonsense\n")
    assert places.read()
    assert places.networks.covers("198.51.100.1") == "exemptions.countries: AS64500"
    assert "nonsense" in str(places.problems[0])
    (tmp_path / "country-nl.txt").unlink()
    assert places.read()
    assert places.networks.covers("203.0.113.9") is None


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    (tmp_path / "country-nl.txt").touch()
    (said,) = absent(tmp_path, ["NL", "DE"])
    assert said.startswith(os.fspath(tmp_path / "country-de.txt"))
    assert absent(tmp_path, ["NL"]) == []
    assert len(absent(tmp_path / "none", ["NL", "DE"])) == 2
