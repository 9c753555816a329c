"""Real proxies write the lines: whom they do not let through counts, and who is let through does not."""

import shutil
import socket
from collections import Counter

import pytest
from tests.services.test_web_servers import CUSTOMER, STRANGER, counted, events, scanned
from tests.services.web_daemons import PORT, Haproxy, Squid, serving

pytestmark = [pytest.mark.kernel, pytest.mark.slow]


@pytest.mark.skipif(shutil.which("squid") is None or shutil.which("curl") is None, reason="not installed")
def test_squid() -> None:
    with serving(Squid()) as server:
        asked = ("curl", "-s", "-o", "/dev/null", "-x", f"http://127.0.0.1:{PORT}", "--max-time", "20", "--interface")
        server.network.run(*asked, CUSTOMER, "http://www.example.com/")
        server.network.run(*asked, STRANGER, "http://www.bad.example/")
        for login in ("bob:wrong", "car ol:wrong", "mallory:wrong"):
            server.network.run(*asked, STRANGER, "-U", login, "http://www.example.com/")
        server.stop()
        found = events(server, "squid", ["access.log"])
        assert Counter(event.user_name for event in found if event.kind == "auth.failure") == {
            "bob": 1,
            "car ol": 1,
            "mallory": 1,
        }
        assert counted(found) == {STRANGER: 4}


@pytest.mark.skipif(shutil.which("haproxy") is None, reason="not installed")
def test_haproxy() -> None:
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening,
        serving(Haproxy(lambda directory: listening.bind(str(directory / "logs/socket")))) as server,
    ):
        assert server.ask(CUSTOMER, "/basic/", login="bob:right") == 200
        assert server.ask(CUSTOMER, "/") == 200
        assert [server.ask(STRANGER, "/basic/", login=f"bob:wrong {number}") for number in range(3)] == [401] * 3
        assert server.ask(STRANGER, "/closed") == 403
        assert server.send(STRANGER, b"\x16\x03\x01 nothing\r\n\r\n")
        server.stop()
        listening.setblocking(False)
        lines = []
        while len(lines) < 100:
            try:
                lines.append(listening.recv(4096).rstrip() + b"\n")
            except BlockingIOError:
                break
    found = scanned(b"".join(lines), "file:haproxy.log", "haproxy")
    assert counted(found, "auth.failure") == {STRANGER: 3}
    assert counted(found, "http.forbidden") == {STRANGER: 1}
    assert counted(found, "protocol.error") == {STRANGER: 1}
    assert counted(found) == {STRANGER: 5}
