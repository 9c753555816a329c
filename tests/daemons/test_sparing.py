"""Verified crawlers: which services are of the web, and how long and how many are remembered."""

import pytest
from tests.store.samples import NOW

from durward.catalog.service_card import load_services
from durward.catalog.shelf import directories_of
from durward.daemons import sparing
from durward.daemons.sparing import Verified, web_services


def test_services_of_the_web() -> None:
    web = web_services(load_services(directories_of("services")))
    assert {"web", "nginx", "apache", "modsecurity", "litespeed", "caddy", "haproxy"} <= web
    assert not {"sshd", "dovecot", "postfix", "exim", "pureftpd", "named", "openvpn"} & web


def test_they_are_remembered_for_a_while_and_not_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparing, "CRAWLERS_MAX", 2)
    verified = Verified()
    for number in range(3):
        verified.note(f"203.0.113.{number}", f"reason {number}", NOW + number)
    assert [verified.reason(f"203.0.113.{number}") for number in range(3)] == [None, "reason 1", "reason 2"]
    verified.expire(NOW + 1)
    assert len(verified) == 1
