"""Apprise is a program of others: it is found where it is installed, told the text on its input, and ended in time."""

from pathlib import Path
from typing import Any

import pytest
from tests.messages.samples import hostile, message, place

from durward.alerts import apprise
from durward.messages.channel import UndeliveredError

# Takes what the real one takes; whoever has that installed can set DURWARD_APPRISE to try it.
SCRIPT = '#!/bin/sh\nprintf "%s\\0" "$@" > {0}/arguments\ncat > {0}/text\n{1}\n'


def values(program: Path | str, **own: Any) -> dict[str, Any]:
    return {"program": str(program), "config": "apprise.conf", "timeout": 10.0} | own


def prepared(directory: Path, act: str = "") -> Path:
    (directory / "apprise.conf").write_text("json://127.0.0.1:9/\n")
    path = directory / "apprise"
    path.write_text(SCRIPT.format(directory, act))
    path.chmod(0o755)
    return path


def test_the_text_comes_on_its_input_and_nobody_is_mentioned(tmp_path: Path) -> None:
    path = prepared(tmp_path)
    apprise.send(message(hostile("@everyone <!here> https://evil.example")), values(path), place(tmp_path))
    text = (tmp_path / "text").read_text()
    arguments = (tmp_path / "arguments").read_text().split("\0")
    assert "(at)everyone {!here} https(:)//evil.example" in text
    assert f"--config={tmp_path}/apprise.conf" in arguments
    assert "--input-format=text" in arguments
    assert all(argument.startswith("--") for argument in arguments[:-1])


def test_what_is_missing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apprise, "find", lambda: None)
    with pytest.raises(UndeliveredError, match="not installed"):
        apprise.send(message(), values(""), place(tmp_path))
    path = prepared(tmp_path, "echo no such service; exit 1")
    with pytest.raises(UndeliveredError, match="status 1: no such service"):
        apprise.send(message(), values(path), place(tmp_path))
    (tmp_path / "apprise.conf").unlink()
    with pytest.raises(UndeliveredError, match="holds the URLs"):
        apprise.send(message(), values(path), place(tmp_path))
