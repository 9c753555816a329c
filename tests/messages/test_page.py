"""What people read: title and page of one alert and of many, whatever is in them."""

from dataclasses import replace

from hypothesis import given
from tests.messages.samples import ALERT, HOSTILE, LINE, hostile, message

from durward.messages import inert, page
from durward.messages.rationing import OVER_BUDGET


def test_many_alerts_are_one_page_that_says_why() -> None:
    others = [
        replace(ALERT, subject=f"203.0.113.{number}", undo=f"durward unblock 203.0.113.{number}") for number in range(3)
    ]
    digest = message(*others, held=OVER_BUDGET, more=40)
    text = page.body(digest, "web1")
    assert page.title(digest, "web1").startswith("[durward web1] 43 addresses blocked: sshd")
    assert "43 alerts, in one message because there was more to tell than this channel's budget allows." in text
    assert "40 of them are not spelt out here: durward log" in text
    assert text.count(LINE) == 3
    assert "durward unblock 203.0.113.2" in text


@given(HOSTILE)
def test_every_line_is_harmless_and_the_page_ends(text: str) -> None:
    for made in (message(hostile(text)), message(*[hostile(text)] * 50, more=1)):
        shown = page.body(made, "web1")
        assert len(shown) <= page.BODY_CHARACTERS_MAX + len(page.TOO_LONG)
        assert all(line.isprintable() for line in shown.split("\n"))
        assert page.title(made, "web1").isprintable()
        assert len(page.title(made, "web1")) <= page.TITLE_CHARACTERS_MAX
        assert not set("@<>`") & set(page.body(made, "web1", inert.chat))


def test_forged_times_are_still_times() -> None:
    text = page.body(message(replace(ALERT, at=1e300, first_at=-1e300, last_at=1e300)), "web1")
    assert "9999-12-31" in text
    assert "1970-01-01" in text
