"""Which of our services each filter of fail2ban reads, where the names differ."""

from collections.abc import Collection, Mapping

# Of each the cards that it could be, the best one first. A filter that is not named here is looked for by its own name.
SERVICES: Mapping[str, tuple[str, ...]] = {
    "3proxy": ("threeproxy",),
    "apache-auth": ("apache",),
    "apache-badbots": ("apache",),
    "apache-botsearch": ("apache",),
    "apache-fakegooglebot": ("apache",),
    "apache-modsecurity": ("modsecurity",),
    "apache-nohome": ("apache",),
    "apache-noscript": ("apache",),
    "apache-overflows": ("apache",),
    "apache-pass": ("apache",),
    "apache-shellshock": ("apache",),
    "bitwarden": ("bitwarden", "vaultwarden"),
    "courier-auth": ("courier",),
    "courier-smtp": ("courier",),
    "cyrus-imap": ("cyrus",),
    "domino-smtp": ("domino",),
    "exim-spam": ("exim",),
    "froxlor-auth": ("froxlor",),
    "haproxy-http-auth": ("haproxy",),
    "lighttpd-auth": ("lighttpd",),
    "mysqld-auth": ("mysqld", "mariadb"),
    "named-refused": ("named",),
    "nginx-bad-request": ("nginx",),
    "nginx-botsearch": ("nginx",),
    "nginx-error-common": ("nginx",),
    "nginx-forbidden": ("nginx",),
    "nginx-http-auth": ("nginx",),
    "nginx-limit-req": ("nginx",),
    "pam-generic": ("pam", "login"),
    "php-url-fopen": ("web",),
    "phpmyadmin-syslog": ("phpmyadmin",),
    "postfix-rbl": ("postfix",),
    "postfix-sasl": ("postfix",),
    "pure-ftpd": ("pureftpd",),
    "routeros-auth": ("routeros", "mikrotik"),
    "roundcube-auth": ("roundcube",),
    "selinux-ssh": ("selinux_ssh", "sshd"),
    "sendmail-auth": ("sendmail",),
    "sendmail-reject": ("sendmail",),
    "sieve": ("dovecot", "sieve"),
    "softethervpn": ("softether",),
    "sogo-auth": ("sogo",),
    "solid-pop3d": ("solidpop3d",),
    "sshd-ddos": ("sshd",),
    "traefik-auth": ("traefik",),
    "uwimap-auth": ("uwimap",),
    "webmin-auth": ("webmin",),
    "wordpress": ("wordpress", "web"),
    "wuftpd": ("wuftpd",),
    "xinetd-fail": ("xinetd",),
    "znc-adminlog": ("znc",),
}
# Filters that are not about passwords: what they count, other detectors of ours count, with thresholds of their own.
OTHER_KINDS = frozenset(
    {
        *("apache-badbots", "apache-botsearch", "apache-fakegooglebot", "apache-nohome", "apache-noscript"),
        *("apache-overflows", "apache-pass", "apache-shellshock", "nginx-bad-request", "nginx-botsearch"),
        *("nginx-forbidden", "nginx-limit-req", "php-url-fopen", "postfix-rbl", "exim-spam", "sendmail-reject"),
        "named-refused",
    }
)


def service_of(name: str, known: Collection[str]) -> str | None:
    """The card that reads what the filter `name` reads, of those that are known; None where there is none."""
    plain = name.lower().replace("-", "_").replace(".", "_")
    candidates = [*SERVICES.get(name, ()), plain, plain.replace("_", ""), plain.removesuffix("_auth")]
    return next((one for one in candidates if one in known), None)
