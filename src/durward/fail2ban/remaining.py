"""The keys of a jail that are about fail2ban's own ways: what of them holds here, and what cannot."""

import re
from collections.abc import Mapping

from durward.fail2ban.jails import Jail
from durward.fail2ban.plan import Outcome, Plan

FIREWALLS = re.compile(r"iptables|nftables|firewallcmd|ufw|shorewall|ipset|pf$|npf|ipfw|bsd-ipfw|apf|route$|hostsdeny")
MAILS = re.compile(r"(?:send)?mail")
# What is said elsewhere, key by key.
SAID = frozenset(
    {
        *(
            "enabled",
            "filter",
            "logpath",
            "journalmatch",
            "failregex",
            "ignoreregex",
            "maxretry",
            "findtime",
            "bantime",
        ),
        *("ignoreip", "datepattern", "action", "bantime.increment", "bantime.maxtime", "bantime.factor"),
        *("bantime.multipliers", "bantime.rndtime", "bantime.formula", "bantime.overalljails", "mode", "destemail"),
    }
)
ALWAYS: Mapping[str, tuple[Outcome, str]] = {
    "backend": ("needless", "files are watched and the journal is read, whichever there is"),
    "usedns": ("differs", "a name in a log is never resolved: whoever owns it could have others blocked"),
    "logencoding": ("needless", "lines are read as bytes"),
    "maxmatches": ("needless", "the last lines are kept as evidence"),
    "maxlines": ("refused", "a card reads one line at a time"),
    "prefregex": ("differs", "it was taken with each expression"),
    "ignoreself": ("needless", "an own address is never blocked"),
    "ignorecache": ("needless", "no command is asked"),
    "port": ("differs", "a blocked source reaches no port at all"),
    "protocol": ("differs", "a blocked source is kept out whichever the protocol"),
    "chain": ("needless", "blocks are sets in a table of our own"),
    "banaction": ("needless", "blocks are sets in a table of our own"),
    "banaction_allports": ("needless", "blocks are sets in a table of our own"),
    "sender": ("differs", "mail comes from this host's own name"),
    "mta": ("needless", "mail is sent without another program's rules"),
}


def say_remaining(jail: Jail, defaults: Jail, plan: Plan) -> None:
    """Say what becomes of each key that the jail itself sets, and of its actions."""
    for key in jail.options:
        if key in SAID or jail.options[key] == defaults.options.get(key):
            continue
        outcome, why = of_key(key, jail.texts.get(key, ""))
        plan.say(jail.name, key, jail.texts.get(key, ""), outcome, "", why, jail.place(key))
    for key, why in jail.unread.items():
        if key in SAID and key not in ("enabled", "filter"):
            plan.say(jail.name, key, jail.options[key].text, "refused", "", why, jail.place(key))
    for action in jail.actions:
        _action(jail, action, plan)


def of_key(key: str, text: str) -> tuple[Outcome, str]:
    """What becomes of a key that is about fail2ban's own ways."""
    if key == "ignorecommand":
        return (
            ("refused", "no command is run for each address; see ignore.list") if text else ("needless", "it is empty")
        )
    return ALWAYS.get(key, ("needless", "it is a name for others to use; those were read with it"))


def _action(jail: Jail, action: str, plan: Plan) -> None:
    if FIREWALLS.match(action):
        plan.say(
            jail.name, "action", action, "needless", "", "blocks are sets in a table of our own", jail.place("action")
        )
    elif MAILS.match(action):
        plan.settings["alerts", "mail", "to"] = _addresses(jail)
        target = f"alerts.mail.to = {', '.join(_addresses(jail))}"
        why = "mail tells of decisions; which is said in [alerts]"
        plan.say(jail.name, "action", action, "differs", target, why, jail.place("action"))
    else:
        why = "no program of others is run for a block"
        plan.say(jail.name, "action", action, "refused", "", why, jail.place("action"))


def _addresses(jail: Jail) -> list[str]:
    found = [one for one in re.split(r"[\s,;]+", jail.texts.get("destemail", "")) if one.isprintable() and one]
    return [one.removesuffix("@localhost") for one in found] or ["root"]
