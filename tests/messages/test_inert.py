"""Whatever text comes from outside, what is shown of it steers nothing."""

import unicodedata

from hypothesis import given
from tests.messages.samples import HOSTILE

from durward.messages import inert


@given(HOSTILE)
def test_a_line_is_one_line_of_printable_text(text: str) -> None:
    shown = inert.line(text)
    assert len(shown) <= inert.LINE_CHARACTERS_MAX
    assert shown.isprintable()
    assert not {unicodedata.category(character) for character in shown} & inert.STEERING
    assert inert.line(shown) == shown
    shown.encode("utf-8")  # no lone surrogate is left


@given(HOSTILE)
def test_a_chat_gets_no_mention_no_tag_and_no_link(text: str) -> None:
    shown = inert.chat(text)
    assert len(shown) <= inert.LINE_CHARACTERS_MAX
    assert shown.isprintable()
    assert not set("@<>&`*[]|") & set(shown)
    assert "://" not in shown


def test_plain_text_stays_as_it_is() -> None:
    plain = "Failed password for bob from 203.0.113.9 port 22: user=<bob@example.com> grüße 名前"
    assert inert.line(plain) == plain
    assert inert.chat(plain) == "Failed password for bob from 203.0.113.9 port 22: user={bob(at)example.com} grüße 名前"


def test_what_is_too_long_is_cut_and_shows_it() -> None:
    assert inert.line("x" * 3000) == "x" * 1023 + "…"
    assert inert.line("\n" * 1024, 10) == "\\x0a\\x0a\\…"
    assert inert.line("\u202e\u2066abc") == "\\u202e\\u2066abc"
