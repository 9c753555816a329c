"""The webhook: a real web server gets signed JSON, and a dead or odd one does not count as having got it."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from tests.alerts.receivers import HOST, WebServer
from tests.messages.samples import LINE, LOGGED, hostile, message, place

from durward.alerts import webhook
from durward.catalog.shelf import load_alerts
from durward.messages.channel import UndeliveredError

(CARD,) = [card for card in load_alerts() if card.id == "webhook"]


def values(**own: Any) -> dict[str, Any]:
    return {name: one.default for name, one in CARD.settings.items()} | own


def test_a_post_is_signed_and_says_everything(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("correct horse\n")
    with WebServer() as server:
        own = values(url=f"http://{HOST}:{server.port}/durward?to=me", secret_file="secret")
        webhook.send(message(), own, place(tmp_path, "webhook"))
    (got,) = server.posts
    stamp = got.headers["durward-timestamp"]
    wanted = hmac.new(b"correct horse", stamp.encode() + b"." + got.body, hashlib.sha256).hexdigest()
    assert got.headers["durward-signature"] == f"v1={wanted}"
    assert got.headers["idempotency-key"] == "mail.3.1795421400000"
    assert got.path == "/durward?to=me"
    body = json.loads(got.body)
    (alert,) = body["alerts"]
    assert (alert["subject"], alert["undo"]) == ("203.0.113.9", "durward unblock 203.0.113.9")
    assert alert["at"] == "2026-11-23T08:10:00+00:00"
    assert alert["evidence"][0] == LINE
    assert "durward unblock 203.0.113.9" in body["text"]


@pytest.mark.parametrize("status", [302, 400, 500])
def test_only_an_answer_of_success_is_one(status: int) -> None:
    with WebServer([status]) as server:
        with pytest.raises(UndeliveredError, match=f"status {status}"):
            webhook.send(message(), values(url=f"http://{HOST}:{server.port}/"), place())
        assert len(server.posts) == 1, "a redirection is not followed"


@pytest.mark.parametrize("url", ["", "ftp://example.com/", "file:///etc/shadow", "https://", "example.com"])
def test_what_is_no_web_address_is_told(url: str) -> None:
    with pytest.raises(UndeliveredError, match="url should be like") as failed:
        webhook.send(message(), values(url=url), place())
    assert failed.value.lasting


def test_a_dead_receiver_and_a_missing_secret_are_told(tmp_path: Path) -> None:
    with WebServer() as server:
        port = server.port
    with pytest.raises(UndeliveredError, match="refused"):
        webhook.send(message(), values(url=f"http://{HOST}:{port}/"), place())
    with pytest.raises(UndeliveredError, match="secret_file"):
        webhook.send(message(), values(url=f"http://{HOST}:{port}/", secret_file="none"), place(tmp_path))


@given(LOGGED)
@settings(max_examples=300, deadline=None)
def test_no_text_from_outside_mentions_links_or_steers(text: str) -> None:
    document = webhook.document(message(hostile(text)), "web1")
    written = json.dumps(document)
    assert written.isascii()
    for shown in (document["title"], document["text"]):
        assert not set("@<>`*|") & set(shown)
        assert "://" not in shown
        assert "](" not in shown
        assert all(character.isprintable() or character == "\n" for character in shown)
    for alert in document["alerts"]:
        for field in (*alert["evidence"], alert["why"]):
            assert field.isprintable()
            assert len(field) <= 1024
    assert len(written) < 400_000
