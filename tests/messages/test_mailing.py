"""Addresses are addresses, and a mail has the same identity however often it is sent."""

from dataclasses import replace

import pytest
from tests.messages.samples import message, place

from durward.messages import mailing
from durward.messages.channel import UndeliveredError


@pytest.mark.parametrize("text", ["root", "a.b+c@example.com", "x@localhost", "x@a-b.example"])
def test_addresses(text: str) -> None:
    assert mailing.addresses((text, text)) == [text]


@pytest.mark.parametrize(
    "text", ["", "a b", "a@b@c", "a@", "a@-b", "<a@b>", "a,b", "a\nb", "-f", "a@b..c", "ä@b", "|sh", "a;b"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(UndeliveredError):
        mailing.addresses((text,))


def test_a_second_try_is_the_same_mail() -> None:
    first, second = (
        mailing.mail(replace(message(), attempt=attempt), place(), "root", ["root"]).as_bytes() for attempt in (1, 2)
    )
    assert first == second


def test_a_report_names_who_is_meant() -> None:
    report = mailing.xarf(message(), message().alerts[0], "web1.example.com", "root@web1.example.com")
    assert report["source_identifier"] == "203.0.113.9"
    assert mailing.domain_of("web1\r\nX: y") == "web1Xy"
