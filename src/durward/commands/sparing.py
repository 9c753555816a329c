"""Who must get in: would whoever is logged in still, and is every port open that SSH listens on?"""

import os
import re
from ipaddress import ip_address

from durward.commands.asking import GENERATION, listed_for, rules_for, stands_for, stored_firewall
from durward.commands.gate import ask_enforcer, connection_name
from durward.commands.verb import Exit, fail
from durward.config.home import Home
from durward.config.loading import Lists
from durward.config.settings import Settings
from durward.control.requests import NoAnswerError
from durward.model import Finding, Subject
from durward.ruleset.policy import Policy

OPENING = re.compile(r"tcp dport ([^@\n]+) accept comment \"(?:ssh_ports|tcp_in)\"")
PORTS = re.compile(r"(\d+)(?:-(\d+))?")


def refuse_lock_out(home: Home, settings: Settings, lists: Lists, policy: Policy) -> None:
    """End the verb where `policy` would refuse an administrator who is in, were he to connect again as he did.

    Where the kernel cannot be asked nothing is refused here: the enforcer still looks at the open ports, and the trial
    ends by itself.
    """
    from durward.facts.failure import FactsError
    from durward.facts.interfaces import interfaces
    from durward.facts.packet import Ways
    from durward.facts.passing import judged
    from durward.ruleset.journey import step_of

    found = ask_enforcer("firewall ways", connection=connection_name())["ways"]
    if not found:
        return
    try:
        ways = Ways(interfaces())
        addresses = [ip_address(text) for text, _, _ in found]
        packets = [ways.arriving(address, None, "tcp", way[1]) for address, way in zip(addresses, found, strict=True)]
        stands = stands_for(home, lists, addresses)
        lasting = [one for one in stands.standings if one.listing != "allow" or one.until is None]
        listed = listed_for(home, policy, addresses)
        journeys = judged(rules_for(policy, settings, lasting, listed), packets)
    except FactsError:
        return
    for (address, port, who), journey in zip(found, journeys, strict=True):
        if not journey.passes:
            rule = f" (rule: {journey.rule})" if journey.rule else ""
            fail(
                Exit.REFUSED,
                f"this would close port {port}, through which {who} is logged in from {address}: "
                f"{step_of(journey, policy, GENERATION)}{rule}\nNothing was changed; --force applies all the same.",
            )


def refuse_own_block(subject: Subject) -> None:
    """End the verb where whoever types it is logged in from `subject`, also if the system has no record of him."""
    try:
        ways = ask_enforcer("firewall ways", connection=connection_name())["ways"] if os.geteuid() == 0 else []
    except NoAnswerError:
        return
    for address, _, who in ways:
        if ip_address(address) in subject.network:
            relation = "is" if subject.value == address else f"holds {address}, which is"
            fail(Exit.REFUSED, f"{subject.value} {relation} where an administrator is logged in from ({who})")


def closed_ssh(home: Home, settings: Settings) -> list[Finding]:
    """The ports that SSH listens on by now and that the firewall in force does not open, as they moved since.

    Empty where `ssh_ports` says what is to be open, and where nobody says what decides.
    """
    from durward.facts.sshd import find_ssh

    if os.geteuid() != 0 or settings.firewall.ssh_ports is not None:
        return []
    try:
        state = ask_enforcer("firewall state")["firewall"]
    except NoAnswerError:
        return []
    if state in {"off", "stopped"}:
        return []
    found = [PORTS.findall(ports) for ports in OPENING.findall(stored_firewall(home, state))]
    opened = [range(int(first), int(last or first) + 1) for ports in found for first, last in ports]
    knocked = {knock.port.number for knock in settings.firewall.knocks}
    return [
        Finding("ssh", f"port {ssh.port}", "fail", f"is not open ({', '.join(ssh.learnt)}): durward apply")
        for ssh in find_ssh()
        if ssh.port not in knocked and not any(ssh.port in ports for ports in opened)
    ]
