"""Real web servers on loopback, each in a network of its own, with pages that ask for a password."""

import base64
import hashlib
import http.client
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.kernel.namespaces import Namespace

PORT = 8080
START_SECONDS_MAX = 20.0
APACHE_MODULES = (
    *("mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic", "auth_digest", "dir"),
    *("unique_id", "security2"),
)
RULES = (
    'SecRule ARGS "@contains /etc/shadow" "id:900001,phase:2,deny,status:403,log,auditlog,severity:CRITICAL"\n'
    'SecRule REQUEST_HEADERS:X-Odd "@rx ." "id:900002,phase:1,deny,status:403,log,auditlog,severity:NOTICE"\n'
    'SecRule ARGS:odd "@rx ." "id:900003,phase:2,pass,log,auditlog,severity:WARNING"\n'
)


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs. Its logs are in `logs`."""

    network: Namespace
    directory: Path
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """Have it write what it still holds back, and end it."""
        self.process.terminate()
        self.process.wait(30)

    @property
    def logs(self) -> Path:
        """Where it writes error.log and access.log."""
        return self.directory / "logs"

    def ask(
        self, source: str, path: str, *, login: str = "", method: str = "GET", headers: dict[str, str] | None = None
    ) -> int:
        """Send a request from an address of loopback, with a login such as `name:password`; give the status."""
        sent = dict(headers or {})
        if login:
            sent["Authorization"] = "Basic " + base64.b64encode(login.encode()).decode()
        with self.network.inside():
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30, source_address=(source, 0))
            try:
                connection.request(method, path, headers=sent)
                return connection.getresponse().status
            finally:
                connection.close()

    def send(self, source: str, data: bytes) -> bytes:
        """Send bytes that are no request; give what comes back, if anything does soon."""
        with (
            self.network.inside(),
            socket.create_connection(("127.0.0.1", PORT), timeout=2, source_address=(source, 0)) as connection,
        ):
            connection.sendall(data)
            try:
                return connection.recv(4096)
            except TimeoutError:
                return b""


@contextmanager
def serving(write: "Writer") -> Iterator[Server]:
    """Start the server that `write` gives the command for, wait until it answers, and stop it in the end."""
    network = Namespace()
    directory = Path(tempfile.mkdtemp(prefix="durward-web-"))
    try:
        furnish(directory)
        if write.prepare:
            write.prepare(directory)
        with network.inside():
            process = subprocess.Popen(write(directory), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _await_answer(network, process)
            server = Server(network, directory, process)
            yield server
        finally:
            process.terminate()
            process.wait(30)
    finally:
        network.close()
        shutil.rmtree(directory)


class Writer:
    """Writes the settings of a server into a directory and gives the command that runs it in the foreground."""

    program = ""

    def __init__(self, prepare: Callable[[Path], None] | None = None) -> None:
        self.prepare = prepare

    def __call__(self, directory: Path) -> Sequence[str]:
        """Write the settings. Gives the command."""
        raise NotImplementedError


class Apache(Writer):
    """Apache with mod_security2."""

    program = "apache2"

    def __call__(self, directory: Path) -> Sequence[str]:
        modules = Path("/usr/lib/apache2/modules")
        loaded = "".join(f"LoadModule {name}_module {modules}/mod_{name}.so\n" for name in APACHE_MODULES)
        protected = "".join(
            f"<Location /{kind.lower()}>\nAuthType {kind}\nAuthName staff\n"
            + (f"AuthDigestProvider file\nAuthUserFile {directory}/digests\n" if kind == "Digest" else "")
            + (f"AuthUserFile {directory}/users\n" if kind == "Basic" else "")
            + "Require valid-user\n</Location>\n"
            for kind in ("Basic", "Digest")
        )
        (directory / "settings").write_text(
            f"ServerName www.example.com\nListen 127.0.0.1:{PORT}\nPidFile {directory}/pid\nUser www-data\n"
            f"Group www-data\n{loaded}ErrorLog {directory}/logs/error.log\nLogLevel info\n"
            r'LogFormat "%h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"" combined'
            f"\nCustomLog {directory}/logs/access.log combined\nDocumentRoot {directory}/pages\n"
            f"<Directory {directory}/pages>\nRequire all granted\n</Directory>\n{protected}"
            f"<Location /closed>\nRequire all denied\n</Location>\nSecRuleEngine On\nSecRequestBodyAccess On\n{RULES}"
            f"SecAuditEngine RelevantOnly\nSecAuditLog {directory}/logs/audit.log\n"
        )
        return ("apache2", "-d", str(directory), "-f", str(directory / "settings"), "-DFOREGROUND")


class Nginx(Writer):
    """nginx with the connector of ModSecurity 3."""

    program = "nginx"
    module = Path("/usr/lib/nginx/modules/ngx_http_modsecurity_module.so")

    def __call__(self, directory: Path) -> Sequence[str]:
        places = "".join(
            f"{name}_temp_path {directory}/{name}; " for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        audit = (
            "SecRuleEngine On\nSecAuditEngine RelevantOnly\nSecAuditLogFormat JSON\nSecAuditLogType Serial\n"
            f"SecAuditLog {directory}/logs/audit.json\n"
        )
        (directory / "settings").write_text(
            f"load_module {self.module};\nuser root; daemon off; pid {directory}/pid;\nevents {{ }}\n"
            f"error_log {directory}/logs/error.log info;\nhttp {{ {places}\n"
            f"access_log {directory}/logs/access.log combined;\n"
            "limit_req_zone $binary_remote_addr zone=slow:1m rate=1r/m;\n"
            f"server {{ listen 127.0.0.1:{PORT}; root {directory}/pages; modsecurity on;\n"
            f"modsecurity_rules '{audit}{RULES}';\n"
            f"location /basic {{ auth_basic staff; auth_basic_user_file {directory}/users; }}\n"
            "location /closed { deny all; }\nlocation /slow { limit_req zone=slow; }\n} }\n"
        )
        return (
            "nginx",
            "-p",
            str(directory),
            "-c",
            str(directory / "settings"),
            "-e",
            str(directory / "logs/error.log"),
        )


class Lighttpd(Writer):
    """lighttpd."""

    program = "lighttpd"

    def __call__(self, directory: Path) -> Sequence[str]:
        (directory / "settings").write_text(
            'server.modules = ("mod_access", "mod_auth", "mod_authn_file", "mod_accesslog")\n'
            f'server.document-root = "{directory}/pages"\nserver.port = {PORT}\nserver.bind = "127.0.0.1"\n'
            f'server.errorlog = "{directory}/logs/error.log"\naccesslog.filename = "{directory}/logs/access.log"\n'
            f'auth.backend = "htpasswd"\nauth.backend.htpasswd.userfile = "{directory}/users"\n'
            'auth.require = ("/basic" => ("method" => "basic", "realm" => "staff", "require" => "valid-user"))\n'
            'index-file.names = ("index.html")\nurl.access-deny = ("closed")\n'
        )
        return ("lighttpd", "-D", "-f", str(directory / "settings"))


class Squid(Writer):
    """Squid, which asks for a password and lets nobody ask for bad.example."""

    program = "squid"

    def __call__(self, directory: Path) -> Sequence[str]:
        (directory / "settings").write_text(
            f"http_port 127.0.0.1:{PORT}\nacl bad dstdomain .bad.example\nhttp_access deny bad\n"
            f"auth_param basic program /usr/lib/squid/basic_ncsa_auth {directory}/users\n"
            "acl known proxy_auth REQUIRED\n"
            f"http_access allow known\nhttp_access deny all\naccess_log stdio:{directory}/logs/access.log\n"
            f"cache_log {directory}/logs/cache.log\npid_filename {directory}/logs/pid\ncache deny all\n"
            f"coredump_dir {directory}/logs\nshutdown_lifetime 0 seconds\nnetdb_filename none\n"
        )
        return ("squid", "-N", "-f", str(directory / "settings"))


class Haproxy(Writer):
    """HAProxy, which asks for a password itself; lines of its log go where syslog would listen."""

    program = "haproxy"

    def __call__(self, directory: Path) -> Sequence[str]:
        (directory / "settings").write_text(
            f"global\n log {directory}/logs/socket local0\ndefaults\n mode http\n log global\n option httplog\n"
            " timeout client 5s\n timeout connect 5s\n timeout server 5s\n"
            "userlist staff\n user bob insecure-password right\n"
            f"frontend www\n bind 127.0.0.1:{PORT}\n acl known http_auth(staff)\n"
            " http-request auth realm staff if { path_beg /basic } !known\n http-request deny if { path_beg /closed }\n"
            " http-request return status 200\n"
        )
        return ("haproxy", "-db", "-f", str(directory / "settings"))


def furnish(directory: Path) -> None:
    """Make the pages, the passwords and the place for the logs."""
    directory.chmod(0o755)
    for name in ("logs", "pages", "pages/basic", "pages/digest"):
        (directory / name).mkdir()
        (directory / name / "index.html").write_text("hello\n")
    (directory / "logs").chmod(0o777)  # servers step down to users of their own
    secret = base64.b64encode(hashlib.sha1(b"right", usedforsecurity=False).digest()).decode()
    (directory / "users").write_text(f"bob:{{SHA}}{secret}\n")
    digest = hashlib.md5(b"bob:staff:right", usedforsecurity=False).hexdigest()
    (directory / "digests").write_text(f"bob:staff:{digest}\n")


def _await_answer(network: Namespace, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < until:
        assert process.poll() is None, f"the server gave up: {process.returncode}"
        with network.inside():
            try:
                socket.create_connection(("127.0.0.1", PORT), timeout=5).close()
            except ConnectionRefusedError:
                time.sleep(0.05)
            else:
                return
    raise AssertionError("the server does not answer")
