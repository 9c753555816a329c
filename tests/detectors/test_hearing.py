"""Every kind of event of every service's card is heard by a detector, or is one that is only told on purpose."""

import pytest

from durward.catalog.service_card import load_services
from durward.catalog.shelf import directories_of, load_detectors

KINDS = {pattern.event for card in load_services(directories_of("services")) for pattern in card.patterns}
HEARD = {kind for card in load_detectors(directories_of("detectors")) for kind in card.hears}
OF_THE_WEB = {
    *("http.attack", "http.forbidden", "http.limited", "http.not_found", "http.unauthorized", "link.raced"),
    *("waf.denied", "waf.matched", "waf.warned", "malware.rejected", "attack.detected", "users.enumerated"),
    *("login.tried", "xmlrpc.called", "password.requested", "comment.refused", "pingback.failed"),
    *("request.throttled", "host.refused", "protocol.error"),
}
# Nobody is blocked for these. What another program of this host has blocked already, or says that somebody scanned,
# rests on packets in which anybody may write any address, and durward sees packets itself; a script's own wish for
# memory, a server that is busy, and a forged line are no doing of the address in the line.
TOLD_OF_THE_WEB = {
    *("script.limited", "source.banned", "block.repeated", "port.scanned", "packet.dropped", "connection.refused"),
    "log.forged",
}


@pytest.mark.parametrize("kind", sorted(OF_THE_WEB))
def test_what_web_servers_tell_is_heard(kind: str) -> None:
    assert kind in KINDS
    assert kind in HEARD


@pytest.mark.parametrize("kind", sorted(TOLD_OF_THE_WEB))
def test_what_is_only_told_blocks_nobody(kind: str) -> None:
    assert kind in KINDS
    assert kind not in HEARD


OPTIONS = {
    "LF_APACHE_404": ("http_not_found", ""),
    "LF_APACHE_403": ("http_forbidden", ""),
    "LF_APACHE_401": ("http_unauthorized", ""),
    "LF_QOS": ("http_limited", "apache"),
    "LF_MODSEC": ("web_application_firewall", "modsecurity"),
    "LF_SUHOSIN": ("web_application_firewall", "suhosin"),
    "LF_CXS": ("malware_upload", ""),
    "LF_SYMLINK": ("link_race", ""),
    "LF_HTACCESS": ("brute_force", "apache"),
}


@pytest.mark.parametrize(("option", "place"), OPTIONS.items())
def test_each_option_of_csf_leads_to_one_place(option: str, place: tuple[str, str]) -> None:
    """The count by its own name, and how long the block is by the one that ends in _PERM."""
    found: dict[str, set[tuple[str, str, str]]] = {option: set(), f"{option}_PERM": set()}
    for card in load_detectors(directories_of("detectors")):
        for name, setting in card.settings.items():
            for one in {*setting.csf} & {*found}:
                found[one].add((card.id, "", name))
        for service, default in card.services.items():
            for one in {*default.csf} & {*found}:
                found[one].add((card.id, service, default.csf[one]))
    assert (*place, "count") in found[option]
    assert (*place, "block_for") in found[f"{option}_PERM"]
    assert {card for card, _, _ in found[option]} == {place[0]}
