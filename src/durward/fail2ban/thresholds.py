"""How many failures a jail bears, within what time, and how long it keeps somebody out, as settings of ours."""

import math
import re
from collections.abc import Callable
from typing import Any

from durward.fail2ban.durations import seconds_of
from durward.fail2ban.failure import Fail2banError
from durward.fail2ban.jails import YES, Jail
from durward.fail2ban.plan import Outcome, Plan
from durward.model import FOREVER, duration

WITHIN_SECONDS = (10.0, 7 * 86400.0)  # what `within` may be
BLOCK_SECONDS_MIN = 10.0
COUNT_MAX = 100_000
DOUBLING = 2  # fail2ban doubles a ban each time, where it lets bans grow
NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", re.ASCII)
STEP_MAX = 100.0  # what `escalate` may be at most
# The formulas that fail2ban's own jail.conf offers. Each is code of Python, which is never run; these we know.
DOUBLES = "ban.Time*(1<<(ban.Countifban.Count<20else20))*banFactor"
EXPONENTIAL = "ban.Time*math.exp(float(ban.Count+1)*banFactor)/math.exp(1*banFactor)"
NO_COUNTERPART = {
    "bantime.rndtime": "a block ends when it says; nothing is left to chance",
    "bantime.overalljails": "a source's earlier blocks always count, whichever service they were for",
}


def thresholds_of(jail: Jail, plan: Plan, at: str, *, counts: bool) -> dict[str, Any]:
    """The settings of the detector for this jail, as TOML holds them; says a row for each key to `plan`.

    `at` is the table that they go to. Where the jail does not count (`counts`), rows say so and nothing comes of it.
    """
    found: dict[str, Any] = {}
    readers: dict[str, Callable[[str], tuple[str, Any, str]]] = {
        "maxretry": _count,
        "findtime": _within,
        "bantime": _block_for,
        "bantime.maxtime": lambda text: ("block_for_max", _text(seconds_of(text)), ""),
    }
    for key, read in readers.items():
        text = jail.texts.get(key, "")
        if not text:
            continue
        try:
            name, value, why = read(text)
        except (Fail2banError, ValueError) as error:
            plan.say(jail.name, key, text, "refused", "", str(error), jail.place(key))
            continue
        if not counts:
            other = "other detectors of ours count this, with thresholds of their own"
            plan.say(jail.name, key, text, "differs", "", other, jail.place(key))
            continue
        found[name] = value
        target = f"{at}.{name} = {value}"
        plan.say(jail.name, key, text, "differs" if why else "maps", target, why, jail.place(key))
    if counts:
        found |= _growth(jail, plan, at)
    return found


def _count(text: str) -> tuple[str, Any, str]:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= COUNT_MAX:
        raise Fail2banError("a whole number from 1 was expected")
    return "count", int(text), ""


def _within(text: str) -> tuple[str, Any, str]:
    seconds = seconds_of(text)
    bounded = min(max(seconds, WITHIN_SECONDS[0]), WITHIN_SECONDS[1])
    return "within", _text(bounded), "" if bounded == seconds else "10s to 7d are looked back at"


def _block_for(text: str) -> tuple[str, Any, str]:
    seconds = seconds_of(text)
    return "block_for", _text(max(seconds, BLOCK_SECONDS_MIN)), "" if seconds >= BLOCK_SECONDS_MIN else "10s at least"


def _text(seconds: float) -> str:
    return duration.text_of(seconds)


def _growth(jail: Jail, plan: Plan, at: str) -> dict[str, Any]:
    """How blocks grow. fail2ban keeps all equally long unless told otherwise; ours grow."""
    grows = jail.texts.get("bantime.increment", "").lower() in YES
    forever = _is_forever(jail.texts.get("bantime", ""))
    found: dict[str, Any] = {}
    if not forever:
        found = _increase(jail) if grows else {"escalate": 1}
        why = "" if grows else "fail2ban's blocks are all equally long: without this ours would grow"
        text = jail.texts.get("bantime.increment", "")
        target = ", ".join(f"{at}.{name} = {value}" for name, value in found.items())
        plan.say(jail.name, "bantime.increment", text, "maps", target, why, jail.place("bantime.increment"))
    elif grows:
        why = "what is blocked for ever cannot grow"
        plan.say(jail.name, "bantime.increment", "true", "needless", "", why, jail.place("bantime.increment"))
    _say_steps(jail, plan, matters=grows and not forever)
    for key, why in NO_COUNTERPART.items():
        if text := jail.texts.get(key, ""):
            always = key == "bantime.overalljails"
            plan.say(jail.name, key, text, "needless" if always else "refused", "", why, jail.place(key))
    return found


def _say_steps(jail: Jail, plan: Plan, *, matters: bool) -> None:
    """What becomes of the keys that say how much longer each ban is."""
    multiplied = bool(_multipliers(jail))
    for key in ("bantime.factor", "bantime.multipliers", "bantime.formula"):
        text = jail.texts.get(key, "")
        if not text:
            continue
        outcome: Outcome = "differs"
        why = "it sets how much longer the second block is than the first: escalate; each further one grows as much"
        if key == "bantime.multipliers":
            why += ", and none becomes longer than the last one says: block_for_max"
        if not matters or (key, text) == ("bantime.factor", "1"):
            outcome, why = "needless", "it changes nothing"
        elif key == "bantime.formula" and multiplied:
            outcome, why = "needless", "fail2ban takes bantime.multipliers where there are any"
        elif key == "bantime.formula" and _plain(text) not in (DOUBLES, EXPONENTIAL):
            outcome, why = (
                "refused",
                f"it is code of Python, which is never run: blocks grow by escalate = {_step(jail)}",
            )
        plan.say(jail.name, key, text, outcome, "", why, jail.place(key))


def _increase(jail: Jail) -> dict[str, Any]:
    """The settings by which blocks grow. The last of the multipliers is also as far as they grow."""
    found: dict[str, Any] = {"escalate": _step(jail)}
    multipliers = _multipliers(jail)
    try:
        first = seconds_of(jail.texts.get("bantime", ""))
        ceiling = seconds_of(text) if (text := jail.texts.get("bantime.maxtime", "")) else FOREVER
    except (Fail2banError, ValueError):
        return found
    if multipliers and (last := first * max(1.0, max(multipliers[1:], default=1.0) * _factor(jail))) < ceiling:
        found["block_for_max"] = _text(max(last, BLOCK_SECONDS_MIN))
    return found


def _step(jail: Jail) -> int | float:
    """How many times as long as the one before each further block is: as much as fail2ban's second one."""
    multipliers, factor = _multipliers(jail), _factor(jail)
    if len(multipliers) > 1 and multipliers[0] > 0:
        step = multipliers[1] / multipliers[0] * factor
    elif _plain(jail.texts.get("bantime.formula", "")) == EXPONENTIAL:
        step = math.exp(min(factor, math.log(STEP_MAX)))
    else:
        step = DOUBLING * factor
    step = min(STEP_MAX, max(1.0, round(step, 2)))
    return int(step) if step.is_integer() else step


def _multipliers(jail: Jail) -> list[float]:
    return [float(one) for one in jail.texts.get("bantime.multipliers", "").split() if NUMBER.fullmatch(one)]


def _factor(jail: Jail) -> float:
    text = jail.texts.get("bantime.factor", "")
    return float(text) if NUMBER.fullmatch(text) else 1.0


def _plain(formula: str) -> str:
    return "".join(formula.split())


def _is_forever(text: str) -> bool:
    try:
        return seconds_of(text) == FOREVER
    except Fail2banError:
        return False
