"""What jails come to: whose lines they read, with which thresholds, and what is said of each key."""

from pathlib import Path
from typing import Any

import pytest
from tests.fail2ban.etc import write

from durward.catalog.service_card import load_service, load_services
from durward.catalog.shelf import directories_of
from durward.fail2ban.failure import Fail2banError
from durward.fail2ban.general import say_general
from durward.fail2ban.jails import read_jails
from durward.fail2ban.mapping import Known, plan_of
from durward.fail2ban.plan import Plan, Row
from durward.fail2ban.remaining import of_key, say_remaining
from durward.fail2ban.thresholds import thresholds_of
from durward.scan.scanner import Scanner
from durward.scan.timestamps import Calendar

FILES = {"sshd": ("/var/log/auth.log",), "apache": ("/var/log/apache2/*error.log",)}
KNOWN = Known(frozenset(FILES), lambda service: FILES.get(service, ()), lambda _service: ())


def planned(directory: Path, local: str, **files: str) -> Plan:
    return plan_of(write(directory, {"jail.local": local, **files}), KNOWN)


def rows_of(plan: Plan, jail: str, key: str) -> list[Row]:
    return [row for row in plan.rows if (row.jail, row.key) == (jail, key)]


def values_of(plan: Plan, service: str) -> dict[str, Any]:
    return {path[4]: value for path, value in plan.settings.items() if path[:4:3] == ("detectors", service)}


def test_a_jail_of_a_known_service(tmp_path: Path) -> None:
    plan = planned(tmp_path, "[sshd]\nenabled = true\nmaxretry = 3\nfindtime = 1d\nbantime = 1h\n")
    assert values_of(plan, "sshd") == {"count": 3, "within": "1d", "block_for": "1h", "escalate": 1}
    assert plan.settings["services", "sshd", "enabled"] is True
    assert ("services", "sshd", "files") not in plan.settings  # read already
    [row] = rows_of(plan, "sshd", "maxretry")
    assert (row.outcome, row.target) == ("maps", "detectors.brute_force.services.sshd.count = 3")
    assert row.place == f"{tmp_path}/jail.local:3"
    assert rows_of(plan, "sshd", "port")[0].outcome == "differs"
    assert rows_of(plan, "sshd", "action")[0].outcome == "needless"


def test_growing_bans(tmp_path: Path) -> None:
    growing = "[DEFAULT]\nbantime.increment = true\nbantime.maxtime = 5w\nbantime.rndtime = 30m\n"
    plan = planned(tmp_path, f"{growing}bantime.multipliers = 1 5 30\n[sshd]\nenabled = true\n")
    assert values_of(plan, "sshd") | {"count": 0} == {
        "count": 0,
        "within": "10m",
        "block_for": "10m",
        "block_for_max": "5h",
        "escalate": 5,
    }
    assert rows_of(plan, "sshd", "bantime.rndtime")[0].outcome == "refused"
    for_ever = planned(tmp_path, f"{growing}[sshd]\nenabled = true\nbantime = -1\n")
    assert values_of(for_ever, "sshd")["block_for"] == "forever"
    assert "escalate" not in values_of(for_ever, "sshd")


def test_logs_elsewhere_are_read_too(tmp_path: Path) -> None:
    local = "[sshd]\nenabled = true\nlogpath = /var/log/auth.log\n    /srv/*/auth.log tail\n    systemd\n"
    plan = planned(tmp_path, local)
    assert plan.settings["services", "sshd", "files"] == ["/var/log/auth.log", "/srv/*/auth.log"]
    assert [row.outcome for row in rows_of(plan, "sshd", "logpath")] == ["refused", "maps"]


def test_the_journal_of_a_unit(tmp_path: Path) -> None:
    local = "[sshd]\nenabled = true\nbackend = systemd\njournalmatch = _SYSTEMD_UNIT=own-ssh.service + _COMM=sshd\n"
    assert planned(tmp_path, local).settings["services", "sshd", "journal"] == ["own-ssh.service"]


def test_several_jails_of_a_service_have_the_thresholds_of_the_most_patient(tmp_path: Path) -> None:
    local = "[apache-auth]\nenabled = true\nmaxretry = 4\n[apache-badbots]\nenabled = true\n"
    plan = planned(tmp_path, f"{local}[more]\nenabled = true\nfilter = apache-auth\nmaxretry = 9\nlogpath = /x\n")
    assert values_of(plan, "apache")["count"] == 9
    assert "most patient" not in rows_of(plan, "apache-auth", "maxretry")[1].why
    assert "the jail more" in rows_of(plan, "apache-auth", "maxretry")[1].why
    assert "other detectors" in rows_of(plan, "apache-badbots", "maxretry")[0].why


def test_an_own_filter_becomes_a_card(tmp_path: Path) -> None:
    plan = planned(tmp_path, "[till]\nenabled = true\nfilter = shop\nlogpath = /var/log/shop.log\nmaxretry = 2\n")
    [card] = plan.cards
    assert card.id == "shop"
    assert "login of {name} refused, client {ip}" in card.text
    assert 'files = ["/var/log/shop.log"]' in card.text
    outcomes = [(row.outcome, row.target) for row in rows_of(plan, "till", "failregex")]
    assert outcomes == [("maps", "services/shop.toml")] * 2 + [("refused", "")]
    assert values_of(plan, "shop")["count"] == 2


@pytest.mark.parametrize(
    ("growing", "values"),
    [
        ("", {"escalate": 2}),
        ("bantime.factor = 1.5", {"escalate": 3}),
        ("bantime.factor = 0.2", {"escalate": 1}),
        ("bantime.multipliers = 1 2 4 8 16 32 64", {"escalate": 2, "block_for_max": "640m"}),
        ("bantime.multipliers = 1 2 4 8\nbantime.maxtime = 30m", {"escalate": 2, "block_for_max": "30m"}),
        ("bantime.multipliers = 1 2 4\nbantime.factor = 3", {"escalate": 6, "block_for_max": "2h"}),
        ("bantime.formula = ban.Time * (1<<(ban.Count if ban.Count<20 else 20)) * banFactor", {"escalate": 2}),
        (
            "bantime.formula = ban.Time * math.exp(float(ban.Count+1)*banFactor)/math.exp(1*banFactor)",
            {"escalate": 2.72},
        ),
        ("bantime.formula = ban.Time * 7\nbantime.multipliers = 1 3", {"escalate": 3, "block_for_max": "30m"}),
        ("bantime.formula = ban.Time * 7", {"escalate": 2}),
    ],
)
def test_ways_to_grow(tmp_path: Path, growing: str, values: dict[str, Any]) -> None:
    plan = planned(tmp_path, f"[DEFAULT]\nbantime.increment = true\n{growing}\n[sshd]\nenabled = true\n")
    found = values_of(plan, "sshd")
    assert {key: found[key] for key in ("escalate", "block_for_max") if key in found} == values
    refused = [row.key for row in plan.rows if row.outcome == "refused" and row.jail == "sshd"]
    assert ("bantime.formula" in refused) == (growing == "bantime.formula = ban.Time * 7")


def test_the_exceptions_of_a_filter_become_those_of_its_card(tmp_path: Path) -> None:
    shop = "[Definition]\nfailregex = ^ closed to <HOST>$\nignoreregex = to 192\\.0\\.2\\.\n"
    local = "[shop]\nenabled = true\nlogpath = /x\nignoreregex = ^ closed to 198\\.51\\.100\\.7$\n"
    plan = planned(tmp_path, local, **{"filter.d/shop.conf": shop})
    [card] = plan.cards
    path = tmp_path / "shop.toml"
    path.write_text(card.text)
    lines = [f"2026-11-23 08:10:00 closed to {ip}\n" for ip in ("203.0.113.9", "192.0.2.4", "198.51.100.7")]
    events = Scanner([load_service(path)]).events(
        "".join(lines).encode(), source="file:/x", position=0, observed_at=0.0, calendar=Calendar(0.0, 0)
    )
    assert [event.source_ip for event in events] == ["203.0.113.9"]
    rows = rows_of(plan, "shop", "ignoreregex")
    assert [(row.outcome, row.target) for row in rows] == [("maps", "services/shop.toml [[exception]]")] * 2


@pytest.mark.parametrize(
    ("ignored", "why"),
    [("(?!x)closed to", "ignoreregex could not be carried over"), ("closed to", "ignoreregex takes the same lines")],
)
def test_nobody_is_blamed_whom_the_filter_spares(tmp_path: Path, ignored: str, why: str) -> None:
    shop = f"[Definition]\nfailregex = ^ closed to <HOST>$\nignoreregex = {ignored}\n"
    plan = planned(tmp_path, "[shop]\nenabled = true\nlogpath = /x\n", **{"filter.d/shop.conf": shop})
    assert plan.cards == []
    assert why in rows_of(plan, "shop", "failregex")[0].why


def test_exceptions_to_a_filter_whose_service_has_a_card(tmp_path: Path) -> None:
    files = {"filter.d/sshd.conf": "[Definition]\nfailregex = ^ refused <HOST>$\nignoreregex = ^ debug \n"}
    local = "[sshd]\nenabled = true\nignoreregex = Failed password for probe from \n    (?!x)y\n"
    plan = planned(tmp_path, local, **files)
    rows = rows_of(plan, "sshd", "ignoreregex")
    assert [(row.text, row.outcome, row.target) for row in rows] == [
        ("^ debug", "needless", ""),
        ("Failed password for probe from", "maps", "services/sshd_spared.toml [[exception]]"),
        ("(?!x)y", "refused", ""),
    ]
    assert rows[1].place == f"{tmp_path}/jail.local:3"
    [card] = plan.cards
    (tmp_path / "sshd_spared.toml").write_text(card.text)
    lines = [
        f"Nov 23 08:10:00 web1 sshd[4242]: Failed password for {user} from 203.0.113.9\n" for user in ("bob", "probe")
    ]
    cards = [one for one in load_services([*directories_of("services"), tmp_path]) if one.id in ("sshd", "sshd_spared")]
    events = Scanner(cards).events(
        "".join(lines).encode(), source="file:/x", position=0, observed_at=0.0, calendar=Calendar(0.0, 0)
    )
    assert [event.user_name for event in events] == ["bob"]


def test_what_a_site_adds_to_a_filter_of_the_package_is_a_card_beside_ours(tmp_path: Path) -> None:
    files = {
        "filter.d/sshd.conf": "[Definition]\nfailregex = ^ refused <HOST>$\n",
        "filter.d/sshd.local": "[Definition]\nfailregex = %(known/failregex)s\n    ^ never ever <HOST>$\n",
    }
    plan = planned(tmp_path, "[sshd]\nenabled = true\n", **files)
    [card] = plan.cards
    assert card.id == "sshd_site"
    assert "never ever {ip}" in card.text
    assert "refused {ip}" not in card.text


def test_who_is_ignored(tmp_path: Path) -> None:
    local = "[DEFAULT]\nignoreip = 127.0.0.1/8 ::1 198.51.100.7/24, 2001:db8::1 office.example.net\n"
    plan = planned(tmp_path, f"{local}[sshd]\nenabled = true\nignoreip = 203.0.113.9\n")
    assert plan.ignored == ["198.51.100.0/24", "2001:db8::1", "203.0.113.9"]
    outcomes = {row.text: row.outcome for row in plan.rows if row.key == "ignoreip"}
    assert outcomes["127.0.0.1/8"] == "needless"
    assert outcomes["office.example.net"] == "refused"
    assert outcomes["203.0.113.9"] == "differs"


def test_mail_is_sent_to_the_same_people_and_no_program_is_run(tmp_path: Path) -> None:
    local = "[DEFAULT]\ndestemail = root@localhost, ops@example.net\naction = %(action_mw)s\n    slack[x=1]\n"
    plan = planned(tmp_path, f"{local}[sshd]\nenabled = true\n")
    assert plan.settings["alerts", "mail", "to"] == ["root", "ops@example.net"]
    assert [(row.text, row.outcome) for row in rows_of(plan, "sshd", "action")] == [
        ("iptables-multiport", "needless"),
        ("sendmail-whois", "differs"),
        ("slack", "refused"),
    ]


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    local = "[nothing]\nenabled = true\nlogpath = %(nowhere)s\n[sshd]\nenabled = true\nbantime = soon\nmaxretry = 0\n"
    plan = planned(tmp_path, local)
    assert "no such filter" in rows_of(plan, "nothing", "filter")[0].why
    assert "stands for nothing" in rows_of(plan, "nothing", "logpath")[0].why
    assert rows_of(plan, "sshd", "bantime")[0].outcome == "refused"
    assert rows_of(plan, "sshd", "maxretry")[0].outcome == "refused"
    assert plan.count()["refused"] == 5  # and the action of the jail, which speaks of a port that nobody set


def test_without_a_configuration(tmp_path: Path) -> None:
    with pytest.raises(Fail2banError, match="neither"):
        plan_of(tmp_path, KNOWN)


def test_the_daemons_own_settings_are_needless(tmp_path: Path) -> None:
    plan = planned(tmp_path, "", **{"fail2ban.local": "[DEFAULT]\nloglevel = DEBUG\n"})
    assert [(row.key, row.outcome) for row in plan.rows if row.jail == "fail2ban"] == [("loglevel", "needless")]


def test_each_part_can_be_asked_alone(tmp_path: Path) -> None:
    jails = read_jails(write(tmp_path, {"jail.local": "[sshd]\nenabled = true\nusedns = yes\n"}))
    [jail] = [one for one in jails.jails if one.enabled]
    plan = Plan()
    say_general(jails, tmp_path, plan)
    say_remaining(jail, jails.defaults, plan)
    assert rows_of(plan, "sshd", "usedns")[0].outcome == "differs"
    assert thresholds_of(jail, plan, "x", counts=False) == {}
    assert of_key("ignorecommand", "/bin/x")[0] == "refused"
