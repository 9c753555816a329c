"""Stems that the cards of the shelf share; written by `python -m bench.stems`, right without being complete."""

# fmt: off
STEMS: tuple[bytes, ...] = (
    b" NW ", b" PRO", b" SW ", b" login", b" on ", b" uid=", b'" 401 ', b'" 403 ', b'" 404 ', b'" 429 ', b"(sshd:",
    b"(su-l:", b"(su:se", b", TOS ", b", cl", b"; TTY=", b";Ltype", b"<nil>", b"A conn", b"ADMIN.", b"ATAL: ",
    b"AUTH s", b"AUTO.", b"Acce", b"Accoun", b"Auth", b"CLIENT", b"Client", b"EAP ", b"ENIED", b"FAIL", b"FTPPR.",
    b"Fail", b"IMAPP.", b"IP '", b"IP: ", b"Illega", b"LISTED", b"LOGIN", b"Login ", b"NEW ", b"NONE", b"NSBL r",
    b"P=loca", b"P=smtp", b"PAM: ", b"POP3P.", b"PPM.", b"REFUSE", b"ROXY.", b"Rcon: ", b"SASL", b"SMTP", b"SOCK",
    b"SPR.", b"SRV> ", b"Spam c", b"TCP|", b"TTP.", b"TTPS.", b"USER=", b"WARN", b"ZNC fr", b"[IKE] ", b"[clien",
    b"] Ban ", b"acce", b"ajor v", b"an com", b"auth", b"ble ", b"ched p", b"cket", b"ckpit:", b"cting ", b"cwd=/",
    b"d in", b"dlogin", b"ent=", b"er '", b"esmtp", b"fail", b"ficati", b"found", b"fter ", b"fused", b"gger",
    b"guard:", b"host", b"ject", b"limit", b"link", b"lock", b"mod_se", b"n from", b"n't ", b"ng co", b"nied",
    b"not ", b"nvalid", b"onn=", b"pid ", b"prbl: ", b"rded", b"rip=", b"rname", b"rror", b"rute", b"t IP e", b"tect",
    b"tempt", b"word", b"|Sessi",
)
