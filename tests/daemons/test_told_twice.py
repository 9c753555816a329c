"""Only services with a log of their own beside another source are compared attempt by attempt: it costs a little."""

from durward.daemons.told_twice import told_twice


def test_who_may_tell_of_an_attempt_twice() -> None:
    present = [
        ("/var/log/auth.log", {"sshd", "vsftpd"}),
        ("/var/log/secure", {"sshd"}),
        ("/var/log/vsftpd.log", {"vsftpd"}),
        ("/var/log/alone.log", {"alone"}),
        ("/var/log/both.log", {"both"}),
    ]
    assert told_twice(present, {"sshd", "both"}) == {"vsftpd", "both"}
    assert told_twice([], {"sshd"}) == frozenset()
