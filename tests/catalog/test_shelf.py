"""Shelves: which cards stand there, and which code may be imported for them."""

from pathlib import Path

import pytest

from durward.catalog.document import ProblemsError
from durward.catalog.shelf import CARDS_MAX, PACKAGE, cards_of, code_of, directories_of, load_detectors

CARD = 'title = "{0}"\nwhy = "{0}"\nhears = ["auth.failure"]\n'


def test_the_packaged_cards_are_right() -> None:
    detectors = load_detectors(directories_of("detectors"))
    assert "brute_force" in [detector.id for detector in detectors]
    for detector in detectors:
        assert detector.stories, f"{detector.id} has no story"


def test_a_card_of_the_site_stands_for_the_packaged_one(tmp_path: Path) -> None:
    for directory, names in (("package", ("b", "a")), ("site", ("b", "c"))):
        (tmp_path / directory).mkdir()
        for name in names:
            (tmp_path / directory / f"{name}.toml").write_text(CARD.format(directory))
    detectors = load_detectors([tmp_path / "package", tmp_path / "missing", tmp_path / "site"])
    assert [(detector.id, detector.title) for detector in detectors] == [("a", "package"), ("b", "site"), ("c", "site")]


def test_problems_of_all_cards_come_together(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.toml").write_text("x = 1")
    with pytest.raises(ProblemsError) as error:
        load_detectors([tmp_path])
    assert {Path(problem.file).stem for problem in error.value.problems} == {"a", "b"}


def test_too_many_cards_are_refused(tmp_path: Path) -> None:
    for number in range(CARDS_MAX + 1):
        (tmp_path / f"c{number}.toml").touch()
    with pytest.raises(ProblemsError, match="more than"):
        cards_of([tmp_path])


def test_code_comes_from_the_package_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = code_of("detectors", "brute_force")
    assert module is not None
    assert Path(str(module.__file__)).parent == PACKAGE / "detectors"
    (tmp_path / "evil.py").write_text("raise SystemExit('imported')")
    (tmp_path / "evil.toml").touch()
    monkeypatch.chdir(tmp_path)
    for name in ("evil", "../../evil", "..evil", f"{tmp_path}/evil", "__init__", "brute_force.x", ""):
        assert code_of("detectors", name) is None
    assert code_of("catalog", "card") is None, "no card beside it"


def test_directories() -> None:
    assert directories_of("detectors") == (PACKAGE / "detectors",)
    assert directories_of("detectors", Path("/etc/durward"))[1] == Path("/etc/durward/detectors")
