"""What most lines of most logs look like. No pattern is looked for by a text that such lines are full of."""

ORDINARY = b"""
CRON[4242]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)
CRON[4242]: pam_unix(cron:session): session closed for user root
CRON[4242]: (root) CMD (command -v debian-sa1 > /dev/null && debian-sa1 1 1)
sudo: bob : TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND=/usr/bin/apt-get update
systemd[1]: Started Session 4242 of User bob. systemd[1]: Finished Daily apt activities. Stopped target. Reached target
systemd[1]: Created slice User Slice of UID 1000. apt.service: Deactivated successfully. user-1000.mount: Succeeded.
systemd-logind[611]: New session 4242 of user bob. Session 4242 logged out. Waiting for processes to exit. Removed
sshd[4242]: Accepted publickey for bob from 192.0.2.4 port 50514 ssh2 kernel: audit: type=1400 operation= name= pid=
sshd[4242]: Received disconnect from 192.0.2.4 port 50514:11: disconnected by user
sshd[4242]: Disconnected from user bob 192.0.2.4 port 50514 Connection closed by 192.0.2.4 port 50514
named[812]: zone example.net/IN: sending notifies (serial 2026112301) all zones loaded
postfix/smtpd[4242]: connect from mx.example.net[192.0.2.4] postfix/qmgr[902]: 4AB12CD: removed
postfix/smtpd[4242]: Anonymous TLS connection established from mx.example.net[192.0.2.4]: TLSv1.3 with cipher
postfix/smtpd[4242]: 4AB12CD: client=mx.example.net[192.0.2.4]
postfix/cleanup[4242]: 4AB12CD: message-id=<4242.50514@example.net>
postfix/qmgr[902]: 4AB12CD: from=<anna@example.net>, size=2311, nrcpt=1 (queue active)
postfix/lmtp[4242]: 4AB12CD: to=<bob@example.com>, relay=example.com[private/dovecot-lmtp], delay=0.2,
postfix/smtp[4242]: 4AB12CD: delays=0.1/0/0.6/0.5, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 5CD34EF) Saved)
postfix/smtpd[4242]: disconnect from mx.example.net[192.0.2.4] ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7
dovecot: imap-login: Login: user=<bob>, method=PLAIN, rip=192.0.2.4, lip=192.0.2.1, mpid=4242, TLS, session=<Ab+1>
dovecot: imap(bob)<4242><Ab+1>: Disconnected: Logged out in=123 out=456 deleted=0 expunged=0 trashed=0 hdr_count=0
dovecot: lmtp(bob)<4242><Ab+1>: msgid=<4242@example.net>: saved mail to INBOX lmtp(4242): Connect from local
dovecot: imap(bob)<4242><Ab+1>: Connection closed (IDLE running for 0.001 + waiting input for 1200.002 secs, 2 B in
exim[4242]: 1qAbCd-0001Ef-2G <= anna@example.net H=mx.example.net [192.0.2.4] P=esmtps X=TLS1.3 CV=no S=2311 id=4242@
exim[4242]: 1qAbCd-0001Ef-2G => bob <bob@example.com> R=local_user T=maildir_home Completed no host name found for IP
192.0.2.4 - - [23/Nov/2026:08:10:00 +0000] "GET /index.html HTTP/1.1" 200 123 "https://www.example.com/" "Mozilla/5.0 (
"""
