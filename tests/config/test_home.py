"""Where durward lives: by option, by environment, by default."""

from pathlib import Path

from durward.config.home import Home


def test_the_system_s_home() -> None:
    assert Home.find(None, {}) == Home(Path("/etc/durward"), Path("/var/lib/durward"), Path("/run/durward"))
    assert Home.find(None, {"DURWARD_HOME": ""}) == Home()


def test_option_before_environment(tmp_path: Path) -> None:
    home = Home.find(str(tmp_path), {"DURWARD_HOME": "/elsewhere"})
    assert (home.etc, home.lib, home.run) == (tmp_path / "etc", tmp_path / "lib", tmp_path / "run")
    assert Home.find(None, {"DURWARD_HOME": "/elsewhere"}).run == Path("/elsewhere/run")


def test_a_relative_home_is_made_absolute() -> None:
    assert Home.find("trial", {}).etc == Path.cwd() / "trial" / "etc"
