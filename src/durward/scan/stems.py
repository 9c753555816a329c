"""Stems that the cards of the shelf share; written by `python -m bench.stems`, right without being complete."""

# fmt: off
STEMS: tuple[bytes, ...] = (
    b" IP ", b" NW ", b" POST", b" PRO", b" SW ", b" on ", b" uid=", b'" 401 ', b'" 403 ', b'" 404 ', b'" 429 ',
    b"(queue", b"(sshd:", b"(su-l:", b"(su:se", b", TOS ", b", cl", b";Ltype", b"<nil>", b"A conn", b"ADMIN.",
    b"AUTH ", b"AUTO.", b"Acce", b"Accoun", b"Auth", b"CLIENT", b"Client", b"EAP ", b"EIVE", b"ENIED", b"FAIL",
    b"FTPPR.", b"HREAT,", b"IMAPP.", b"IP: ", b"Illega", b"LISTED", b"LOGIN", b"Login ", b"NEW ", b"NONE", b"NSBL r",
    b"P=esmt", b"P=loca", b"P=smtp", b"P=utf8", b"PAM: ", b"POP3P.", b"PPM.", b"REFUSE", b"ROXY.", b"Rcon: ", b"SMTP",
    b"SOCK", b"SPR.", b"Spam c", b"TCP|", b"TTP.", b"TTPS.", b"USER=", b"Unable", b"WARN", b"ZNC fr", b"[IKE] ",
    b"[clien", b"[conn", b"] Ban ", b"acce", b"an com", b"ap-log", b"auth", b"ched p", b"cket", b"ckpit:", b"cting ",
    b"cwd=", b"d in", b"dlogin", b"ent=", b"entI", b"er '", b"fail", b"ficati", b"fter ", b"fused", b"guard:",
    b"host", b"iled", b"ject", b"limit", b"link", b"lock", b"login ", b"n from", b"n't ", b"nied", b"not ", b"nvalid",
    b"on-log", b"onn=", b"ound", b"p3-log", b"pid ", b"prbl: ", b"rded", b"rity", b"rname", b"roto", b"roxy: ",
    b"rror", b"rute", b"t by ", b"tack", b"tect", b"tp-log", b"ve-log", b"word", b"|Sessi",
)
