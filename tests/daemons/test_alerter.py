"""The alerter's own doing: which code sends, and which templates it takes. The rest: attacks/test_alerts."""

from pathlib import Path

import pytest

from durward.alerts import mail
from durward.catalog.shelf import load_alerts
from durward.daemons.alerter import read_templates, sender_of
from durward.messages.templates import TEMPLATE_CHARACTERS_MAX


def test_every_channel_has_code_that_sends() -> None:
    senders = {card.id: sender_of(card) for card in load_alerts()}
    assert {"mail", "webhook", "syslog", "hook", "xarf", "apprise"} <= set(senders)
    assert senders["xarf"] is mail.send


def test_templates_are_read_and_what_is_wrong_with_one_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "alert.txt").write_bytes(b"Subject: [ip]\n\n\xff[text]")
    (tmp_path / "long.txt").write_text("x" * (TEMPLATE_CHARACTERS_MAX + 1))
    (tmp_path / "directory.txt").mkdir()
    assert read_templates(tmp_path) == {"alert.txt": "Subject: [ip]\n\n\ufffd[text]"}
    said = capsys.readouterr().err
    assert "long.txt is not used" in said
    assert "directory.txt is not used" in said
    assert read_templates(tmp_path / "none") == {}
