"""Who may send mail by himself: root, the mail users and groups. Others are refused or led to our own mail server."""

from durward.catalog.traffic import PortRange
from durward.ruleset.fragment import Fragment
from durward.ruleset.matching import InvalidPolicyError, listed, to_ports, with_comment
from durward.ruleset.policy import Policy, Smtp

NAME = "smtp"


def fragment(policy: Policy, generation: str) -> Fragment:
    """Rules for what this host's own users send; mail to this host itself has passed before they are asked."""
    smtp = policy.smtp
    if smtp is None:
        return Fragment()
    if not smtp.ports:
        raise InvalidPolicyError("to keep users from sending mail, the ports of mail have to be given")
    mail = to_ports("tcp", tuple(PortRange(port, port) for port in sorted(set(smtp.ports))))
    senders = [f"{mail} {sender}" for sender in _senders(smtp)]
    leaving = [with_comment(f"{sender} accept", NAME) for sender in senders]
    leaving.append(with_comment(f"{mail} goto refused_out_{generation}", NAME))
    if not smtp.redirected and smtp.redirect_to is None:
        return Fragment(leaving=tuple(leaving))
    # The way out was chosen before the redirection, so it does not show that the packet stays here.
    here = with_comment("meta l4proto tcp ct status dnat fib daddr type local accept", NAME)
    led = [f"{sender} accept" for sender in senders]
    # Each port has a protocol of its own (465 speaks TLS at once, 587 asks for a password), so mail stays at its port.
    to = "" if smtp.redirect_to is None else f" to :{smtp.redirect_to}"
    led.append(with_comment(f'oifname != "lo" {mail} redirect{to}', NAME))
    return Fragment(leaving=(here, *leaving), nat_leaving=tuple(led))


def _senders(smtp: Smtp) -> list[str]:
    users, groups = sorted(set(smtp.users)), sorted(set(smtp.groups))
    senders = [f"meta skuid {listed([str(user) for user in users])}"] if users else []
    return senders + ([f"meta skgid {listed([str(group) for group in groups])}"] if groups else [])
