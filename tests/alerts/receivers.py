"""Real receivers on loopback: a mail server with STARTTLS and AUTH, and a web server that takes POSTs."""

import base64
import ssl
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any, Self

HOST = "127.0.0.1"


def certificate(directory: Path) -> Path:
    """A certificate for the loopback address, with its key, in one file."""
    path = directory / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", f"subjectAltName=IP:{HOST},DNS:localhost", "-keyout", "-", "-out", "-"]
    path.write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
    return path


@dataclass(frozen=True)
class Received:
    """One mail as it came: the envelope, and the mail."""

    sender: str
    receivers: tuple[str, ...]
    raw: bytes
    encrypted: bool
    user: str

    @property
    def mail(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=default)  # type: ignore[return-value]

    @property
    def text(self) -> str:
        part = self.mail.get_body(("plain",))
        assert part is not None
        return str(part.get_content())


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    receiver: Any


@dataclass
class MailServer:
    """Takes mail. `before_answer` is called when a mail has come whole, before it is said to be taken."""

    certificate: Path | None = None
    password: str | None = None
    refused: frozenset[str] = frozenset()
    port: int = 0
    before_answer: Callable[[Received], bool] = lambda _mail: True
    mails: list[Received] = field(default_factory=list)
    came: threading.Condition = field(default_factory=threading.Condition)

    def __enter__(self) -> Self:
        self.server = _Server((HOST, self.port), _Conversation)
        self.server.receiver = self
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    def take(self, mail: Received) -> bool:
        with self.came:
            self.mails.append(mail)
            self.came.notify_all()
        return self.before_answer(mail)

    def wait(self, number: int, seconds: float = 20.0) -> list[Received]:
        with self.came:
            assert self.came.wait_for(lambda: len(self.mails) >= number, seconds), f"{len(self.mails)} mails came"
            return list(self.mails)


class _Conversation(StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.receiver: MailServer = self.server.receiver
        self.encrypted, self.user, self.sender, self.to = False, "", "", list[str]()
        try:
            self.say("220 receiver ESMTP")
            while line := self.rfile.readline(4096):
                verb, _, rest = line.decode("ascii", "replace").strip().partition(" ")
                if not self.obey(verb.upper(), rest):
                    return
        except OSError:
            return

    def say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")
        self.wfile.flush()

    def obey(self, verb: str, rest: str) -> bool:
        acts: dict[str, Callable[[str], bool]] = {
            "EHLO": self.greet,
            "STARTTLS": self.encrypt,
            "AUTH": self.log_in,
            "MAIL": self.begin,
            "RCPT": self.receiver_named,
            "DATA": self.data,
            "RSET": lambda _rest: self.tell("250 ok"),
            "QUIT": lambda _rest: not self.tell("221 bye"),
        }
        return acts.get(verb, lambda _rest: self.tell("502 no"))(rest)

    def tell(self, text: str) -> bool:
        self.say(text)
        return True

    def greet(self, _rest: str) -> bool:
        extensions = ["receiver", "SIZE 1000000", "8BITMIME"]
        if self.receiver.certificate and not self.encrypted:
            extensions.append("STARTTLS")
        if self.receiver.password:
            extensions.append("AUTH PLAIN")
        for extension in extensions[:-1]:
            self.say(f"250-{extension}")
        return self.tell(f"250 {extensions[-1]}")

    def encrypt(self, _rest: str) -> bool:
        assert self.receiver.certificate is not None
        self.say("220 go on")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.receiver.certificate)
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile.close()
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb")  # type: ignore[assignment]
        self.encrypted = True
        return True

    def finish(self) -> None:
        for end in (self.wfile, self.rfile, self.connection):
            try:
                end.close()
            except OSError:
                continue

    def log_in(self, rest: str) -> bool:
        _, user, password = base64.b64decode(rest.split()[1]).decode().split("\0")
        if password != self.receiver.password:
            return self.tell("535 wrong password")
        self.user = user
        return self.tell("235 ok")

    def begin(self, rest: str) -> bool:
        if self.receiver.password and not self.user:
            return self.tell("530 log in first")
        self.sender, self.to = rest.partition("<")[2].partition(">")[0], []
        return self.tell("250 ok")

    def receiver_named(self, rest: str) -> bool:
        name = rest.partition("<")[2].partition(">")[0]
        if name in self.receiver.refused:
            return self.tell("550 no such user")
        self.to.append(name)
        return self.tell("250 ok")

    def data(self, _rest: str) -> bool:
        self.say("354 go on")
        lines = []
        while (line := self.rfile.readline(65536)) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        mail = Received(self.sender, tuple(self.to), b"".join(lines), self.encrypted, self.user)
        if not self.receiver.take(mail):
            return False
        return self.tell("250 taken")


@dataclass(frozen=True)
class Post:
    """One POST as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class WebServer:
    """Takes POSTs; answers with the statuses given, one after the other, and with 204 then."""

    statuses: list[int] = field(default_factory=list)
    port: int = 0
    posts: list[Post] = field(default_factory=list)
    came: threading.Condition = field(default_factory=threading.Condition)

    def __enter__(self) -> Self:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver.came:
                    status = receiver.statuses.pop(0) if receiver.statuses else 204
                    receiver.posts.append(Post(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                    receiver.came.notify_all()
                self.send_response(status)
                if status in {301, 302, 307}:
                    self.send_header("Location", f"http://{HOST}:{receiver.port}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer((HOST, self.port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def wait(self, number: int, seconds: float = 20.0) -> list[Post]:
        with self.came:
            assert self.came.wait_for(lambda: len(self.posts) >= number, seconds), f"{len(self.posts)} posts came"
            return list(self.posts)
