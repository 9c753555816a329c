"""What a web application firewall refuses: an attack is of several kinds and on several pages, a mistake is not."""

from typing import Any

from durward.catalog.service_card import load_services
from durward.catalog.shelf import directories_of, load_detectors
from durward.config.settings import detector_settings
from durward.engine.assembly import Known, assemble, detector_policy
from durward.engine.engine import Engine
from durward.engine.explain import ports_of
from durward.engine.policy import Policy
from durward.model import Decision, Event, Subject
from durward.scan.scanner import Scanner
from durward.scan.timestamps import Calendar

BEGIN = 1_795_421_400.0  # 2026-11-23 08:10:00 UTC
SERVICES = load_services(directories_of("services"))
CARDS = [card for card in load_detectors(directories_of("detectors")) if card.code == "web_application_firewall"]
ATTACKER, CUSTOMER = "203.0.113.9", "198.51.100.7"
WEB = "80,443,443/udp"
SCANNER = Scanner([card for card in SERVICES if card.id in ("modsecurity", "apache", "litespeed")])


def engine(**settings: Any) -> Engine:
    """An engine with both cards, and these settings for the first of them."""
    known = {service.id: Known(service.name, service.ports) for service in SERVICES}
    policies = {
        card.id: detector_policy(
            card, detector_settings(card, settings if card.id == "web_application_firewall" else {}, SERVICES), known
        )
        for card in CARDS
    }
    return assemble(Policy(policies), CARDS)


def line(second: int, source: str, rule: str, uri: str, *, verb: str = "Access denied with code 403 (phase 2).") -> str:
    """What mod_security2 writes into Apache's log of errors."""
    stamp = f"Mon Nov 23 08:{10 + second // 60:02d}:{second % 60:02d}.512345 2026"
    return (
        f"[{stamp}] [security2:error] [pid 4242:tid 139852] [client {source}:40022] [client {source}] ModSecurity: "
        f'{verb} Pattern match "x" at ARGS:q. [file "/etc/modsecurity/rules.conf"] [line "62"] [id "{rule}"] '
        f'[msg "What it looks for"] [severity "CRITICAL"] [hostname "shop.example.com"] [uri "{uri}"] '
        '[unique_id "awRTfE9X8-ZtwsxLeSq4kAAAAAs"]\n'
    )


def decided(lines: list[str], **settings: Any) -> list[Decision]:
    """What these lines lead to, read as they would be."""
    block = "".join(lines).encode()
    events = SCANNER.events(
        block, source="file:error.log", position=0, observed_at=BEGIN, calendar=Calendar(BEGIN), services=None
    )
    assert len(events) == len(lines)
    mine = engine(**settings)
    return [decision for event in events for decision in mine.feed(event)]


def told(decisions: list[Decision]) -> list[tuple[str, str, str | None, float]]:
    """Whom, by which card, from which ports, and for how many seconds."""
    return [
        (one.subject.value, one.incident.detector, ports_of(one.scope), one.until - one.made_at)
        for one in decisions
        if one.incident and one.until
    ]


def test_several_kinds_of_rules_on_several_pages_are_an_attack() -> None:
    rules = ("930100", "941100", "942100", "933150", "932160")
    decisions = decided([line(at, ATTACKER, rule, f"/page{at}.php") for at, rule in enumerate(rules)])
    assert told(decisions) == [(ATTACKER, "web_application_firewall", "", 3600.0)]
    assert decisions[0].reason == (
        "5 requests refused by ModSecurity in 4 s, by the rules 930100, 941100, 942100, 933150, 932160"
    )
    assert len(decisions[0].incident.evidence) == 5  # type: ignore[union-attr]


def test_what_the_core_rule_set_adds_up_is_told_by_what_matched_before() -> None:
    """There every refusal is by the rule that adds up; what it was for stands in the warnings before it."""
    lines = []
    for at, rule in enumerate(("930100", "941100", "942100", "942200", "933150")):
        lines += [
            line(at, ATTACKER, rule, f"/page{at}.php", verb="Warning."),
            line(at, ATTACKER, "949110", f"/page{at}.php"),
        ]
    assert told(decided(lines)) == [(ATTACKER, "web_application_firewall", "", 3600.0)]


def test_one_cookie_on_fifty_pages_closes_the_shop_for_ten_minutes_and_accuses_the_rule() -> None:
    decisions = decided([line(at * 5, CUSTOMER, "942100", f"/shop/{at}") for at in range(50)])
    assert told(decisions) == [(CUSTOMER, "one_firewall_rule", WEB, 600.0)]
    assert decisions[0].reason == (
        "20 requests refused by ModSecurity in 95 s, all by rule 942100 on shop.example.com: "
        "that rule may be wrong about an honest visitor"
    )


def test_an_editor_who_writes_of_attacks_is_refused_by_many_rules_on_one_page() -> None:
    rules = ("941100", "942100", "932160", "933150", "930100")
    lines = [line(at, CUSTOMER, rules[at % 5], "/wp-admin/post.php") for at in range(15)]
    assert decided(lines) == []


def test_what_only_matched_blocks_nobody() -> None:
    lines = [line(at, CUSTOMER, f"9{at + 10}100", f"/p{at}", verb="Warning.") for at in range(60)]
    assert decided(lines) == []


def test_an_emergency_counts_three_times() -> None:
    lines = [line(at, ATTACKER, rule, f"/p{at}") for at, rule in enumerate(("930100", "941100", "942100"))]
    assert decided(lines) == []
    lines[2] = lines[2].replace("CRITICAL", "EMERGENCY")
    assert told(decided(lines)) == [(ATTACKER, "web_application_firewall", "", 3600.0)]


def test_other_rule_sets_are_told_apart_by_their_whole_number() -> None:
    lines = [line(at, ATTACKER, f"2100{at % 3}0", f"/p{at}") for at in range(5)]
    assert told(decided(lines)) == [(ATTACKER, "web_application_firewall", "", 3600.0)]


def test_each_source_has_its_own_rules_and_pages() -> None:
    rules = ("930100", "941100", "942100", "933150", "932160", "913100")
    lines = [line(at, f"203.0.113.{at % 3 + 1}", rule, f"/p{at}") for at, rule in enumerate(rules * 2)]
    assert decided(lines) == []


def test_whoever_was_let_in_again_begins_at_nothing() -> None:
    mine = engine()
    events = [
        Event(
            "waf.denied",
            BEGIN + at,
            BEGIN + at,
            "modsecurity",
            "file:a",
            at,
            f'[uri "/{at}"]'.encode(),
            ATTACKER,
            about=f"{at}1",
        )
        for at in range(5)
    ]
    for event in events[:4]:
        assert mine.feed(event) == []
    subject = Subject.parse(ATTACKER)
    assert mine.nearest(subject) == (4, 5)
    mine.unblock(subject)
    assert mine.nearest(subject)[0] == 0
    assert mine.feed(events[4]) == []


def test_nothing_is_kept_of_what_is_too_old() -> None:
    mine = engine()
    first = Event("waf.denied", BEGIN, BEGIN, "modsecurity", "file:a", 0, b"", ATTACKER, about="942100")
    mine.feed(first)
    mine.tick(BEGIN + 3700)
    assert mine.nearest(Subject.parse(ATTACKER))[0] == 0


def test_the_host_is_the_one_that_was_asked_for_of_nginx_too() -> None:
    text = line(0, CUSTOMER, "942100", "/").replace("shop.example.com", "192.0.2.1").rstrip("\n")
    nginx = f'{text}, client: {CUSTOMER}, server: _, request: "GET / HTTP/1.1", host: "shop.example.com"\n'.encode()
    mine = engine()
    found = [
        decision
        for at in range(20)
        for decision in mine.feed(
            Event("waf.denied", BEGIN + at, BEGIN + at, "modsecurity", "file:a", at, nginx, CUSTOMER, about="942100")
        )
    ]
    assert "all by rule 942100 on shop.example.com" in found[0].reason
