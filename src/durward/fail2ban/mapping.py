"""What each jail of fail2ban comes to here: whose lines it reads, where they are, and what its filter becomes."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from durward.catalog.service_card import Reads
from durward.fail2ban.cards import Made, card_of, identifier_of, sparing_card
from durward.fail2ban.failure import Fail2banError
from durward.fail2ban.filters import Filter, read_filter
from durward.fail2ban.general import say_general
from durward.fail2ban.jails import Jail, Jails, read_jails
from durward.fail2ban.names import OTHER_KINDS, service_of
from durward.fail2ban.plan import Outcome, Plan
from durward.fail2ban.remaining import say_remaining
from durward.fail2ban.thresholds import thresholds_of

DETECTOR = ("detectors", "brute_force", "services")
UNIT = re.compile(r"_SYSTEMD_UNIT=([^\s+]+)")
SPARED = "_spared"  # the same for what they except
OF_SITE = "_site"  # behind the id of a service: what the host's own files add to a filter of the package


@dataclass(frozen=True, slots=True)
class Known:
    """Our services by id, and which files and units each of them reads now."""

    services: frozenset[str]
    files: Callable[[str], Sequence[str]]
    journal: Callable[[str], Sequence[str]]


@dataclass(slots=True)
class _Import:
    """An import under way. `thresholds` are those of the jails of each service."""

    directory: Path
    known: Known
    plan: Plan
    thresholds: dict[str, list[tuple[Jail, dict[str, Any]]]]


def plan_of(directory: Path, known: Known) -> Plan:
    """Read fail2ban's configuration in `directory` and say what it comes to. Raises Fail2banError."""
    jails = read_jails(directory)
    plan = Plan(files=jails.files)
    work = _Import(directory, known, plan, {})
    say_general(jails, directory, plan)
    for problem in jails.problems:
        plan.say(problem.partition(":")[0], "jail", "", "refused", "", problem.partition(": ")[2])
    for jail in jails.jails:
        if jail.enabled:
            _jail(jail, jails, work)
    off = sum(not jail.enabled for jail in jails.jails)
    plan.say(
        "(others)", "enabled", "false", "needless", "", f"{off} jails are off: their services stay as they are here"
    )
    _settle(work)
    return plan


def _jail(jail: Jail, jails: Jails, work: _Import) -> None:
    if jail.filter.name == "recidive":
        why = "who comes back is kept out for longer each time: detectors.brute_force.escalate and .remember"
        work.plan.say(jail.name, "filter", "recidive", "needless", "", why, jail.place("filter"))
        return
    service = service_of(jail.filter.name, work.known.services)
    try:
        source = read_filter(work.directory, jail.filter.name, jail.filter.options)
    except Fail2banError as error:
        work.plan.say(jail.name, "filter", jail.filter.name, "refused", "", str(error), jail.place("filter"))
        source = None
    ignored = _lines(jail.texts.get("ignoreregex", ""))
    if source and ignored:
        source = replace(source, ignored=(*source.ignored, *ignored), site_ignored=(*source.site_ignored, *ignored))
    reads = Reads(_units(jail, source), _paths(jail, work.plan))
    if service is not None:
        _known_service(jail, service, reads, work)
        if source and source.ignored:
            _spared(jail, service, source, work.plan)
        expressions = (*(source.site if source else ()), *_lines(jail.texts.get("failregex", "")))
        identifier = f"{service}{OF_SITE}"
    else:
        expressions = (*(source.expressions if source else ()), *_lines(jail.texts.get("failregex", "")))
        identifier = identifier_of(jail.filter.name)
    made = card_of(source, expressions, identifier, reads) if source and expressions else None
    if source and made:
        _say_card(jail, source, made, work.plan, exceptions=service is None)
    counting = service or (made.id if made and made.text else "")
    if service is None and source is None:
        why = "there is no such filter, and no card of ours"
        work.plan.say(jail.name, "filter", jail.filter.name, "refused", "", why, jail.place("filter"))
    if counting:
        at = ".".join((*DETECTOR, counting))
        counts = jail.filter.name not in OTHER_KINDS
        work.thresholds.setdefault(counting, []).append((jail, thresholds_of(jail, work.plan, at, counts=counts)))
    say_remaining(jail, jails.defaults, work.plan)


def _known_service(jail: Jail, service: str, reads: Reads, work: _Import) -> None:
    plan, name = work.plan, jail.filter.name
    mode = jail.filter.options.get("mode", "normal")
    why = "" if mode == "normal" else f"mode={mode}: a card knows every line of its service, whichever the mode"
    target = f"services.{service}"
    plan.say(jail.name, "filter", name, "differs" if why else "maps", target, why, jail.place("filter"))
    plan.settings["services", service, "enabled"] = True
    for key, wanted, has in (
        ("files", reads.files, work.known.files(service)),
        ("journal", reads.journal, work.known.journal(service)),
    ):
        missing = [one for one in wanted if not any(one == there or fnmatchcase(one, there) for there in has)]
        at = ("services", service, key)
        if missing:
            earlier = plan.settings.get(at, list(has))
            plan.settings[at] = list(dict.fromkeys([*earlier, *missing]))
        if wanted:
            said, option = ("logpath", "logpath") if key == "files" else ("journalmatch", "journalmatch")
            outcome = f"{'.'.join(at)} gets {', '.join(missing)}" if missing else f"{'.'.join(at)} has it"
            plan.say(jail.name, said, " ".join(wanted), "maps", outcome, "", jail.place(option))


def _spared(jail: Jail, service: str, source: Filter, plan: Plan) -> None:
    """Take over the exceptions that this host makes to a filter whose service has a card of ours."""
    for expression in source.ignored:
        if expression not in source.site_ignored:
            why = "the card knows what is harmless"
            plan.say(jail.name, "ignoreregex", expression, "needless", "", why, source.place)
    made = sparing_card(source, service, f"{service}{SPARED}")
    if made.text and all(one.id != made.id for one in plan.cards):
        plan.cards.append(made)
    _say_exceptions(jail, source, made, plan)


def _say_exceptions(jail: Jail, source: Filter, made: Made, plan: Plan) -> None:
    own = _lines(jail.texts.get("ignoreregex", ""))
    outcome: Outcome = "maps" if made.text else "needless"
    target = f"services/{made.id}.toml [[exception]]" if made.text else ""
    for expression in made.excepted:
        place = jail.place("ignoreregex") if expression in own else source.place
        plan.say(jail.name, "ignoreregex", expression, outcome, target, "", place)
    for refusal in made.unexcepted:
        place = jail.place("ignoreregex") if refusal.expression in own else source.place
        plan.say(jail.name, "ignoreregex", refusal.expression, "refused", "", refusal.why, place)


def _say_card(jail: Jail, source: Filter, made: Made, plan: Plan, *, exceptions: bool) -> None:
    """Take a card that was made of a filter, and say what became of it; several jails with one filter share it."""
    reads = made.reads
    earlier = [one for one in plan.cards if one.id == made.id]
    if made.text and not earlier:
        plan.cards.append(made)
    target = f"services/{made.id}.toml"
    for expression in made.carried:
        why = "; ".join(made.notes)
        plan.say(jail.name, "failregex", expression, "differs" if why else "maps", target, why, source.place)
    for refusal in made.refused:
        plan.say(jail.name, "failregex", refusal.expression, "refused", "", refusal.why, source.place)
    if exceptions:
        _say_exceptions(jail, source, made, plan)
    if source.date_pattern and made.text:
        why = "times are found by their form; see `durward scan`"
        plan.say(jail.name, "datepattern", source.date_pattern, "differs", target, why, source.place)
    if made.text and not (reads.files or reads.journal):
        why = "the jail names no log that could be told; add files to the card"
        plan.say(jail.name, "logpath", "", "refused", target, why, jail.place("logpath"))
    elif made.text and reads.files:
        plan.say(jail.name, "logpath", " ".join(reads.files), "maps", target, "", jail.place("logpath"))


def _settle(work: _Import) -> None:
    """One threshold a service: where several jails watch it, that of the one that bears most."""
    for service, found in work.thresholds.items():
        counting = [(jail, values) for jail, values in found if values]
        if not counting:
            continue
        patient, values = max(counting, key=lambda one: one[1].get("count", 0))
        for name, value in values.items():
            work.plan.settings[*DETECTOR, service, name] = value
        for jail, others in counting:
            if jail is not patient and others != values:
                why = f"all lines of {service} count together, with the thresholds of the jail {patient.name}"
                work.plan.say(jail.name, "maxretry", str(others.get("count", "")), "differs", service, why)


def _paths(jail: Jail, plan: Plan) -> tuple[str, ...]:
    """The logs of a jail that are full paths; of each other one a row says that it is none."""
    found = []
    for line in _lines(jail.texts.get("logpath", "")):
        path = re.sub(r"\s+(?:head|tail)$", "", line)
        for one in path.split() if " /" in path else [path]:
            if one.startswith("/") and one.isprintable():
                found.append(one)
            else:
                plan.say(jail.name, "logpath", one, "refused", "", "a full path was expected", jail.place("logpath"))
    return tuple(dict.fromkeys(found))


def _units(jail: Jail, source: Filter | None) -> tuple[str, ...]:
    if jail.texts.get("backend", "") != "systemd":
        return ()
    wanted = jail.texts.get("journalmatch", "") or (source.journal_match if source else "")
    return tuple(dict.fromkeys(UNIT.findall(wanted)))


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.split("\n") if line.strip())
