"""The sender's side of an authorised knock: find the key, sign, and send one datagram."""

import secrets
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from durward.config.knock_keys import fingerprint_of
from durward.control import ed25519, ssh_agent
from durward.control.ssh_keys import FILE_BYTES_MAX, SshKey, SshKeyError, read_key
from durward.model import Address
from durward.model.address import parse_address
from durward.model.knock import NONCE_BYTES, Knock, key_id_of

USUAL_KEYS = (".ssh/id_ed25519",)  # below the home directory
FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6, None: socket.AF_UNSPEC}


class KnockingError(OSError):
    """The knock cannot be made or sent; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that can sign: from a file that is not encrypted, or by the agent at a socket."""

    key: SshKey
    named: str  # the file, or the comment that the agent has
    agent: str = ""

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` writes it."""
        return fingerprint_of(self.key.public)

    def sign(self, message: bytes) -> bytes:
        """Raises SshKeyError and Ed25519Error."""
        if self.key.private is not None:
            return ed25519.sign(self.key.private, message)
        return ssh_agent.sign(self.agent, self.key.public, message)


@dataclass(frozen=True, slots=True)
class Way:
    """Where a datagram goes, and from which of our addresses."""

    address: Address
    port: int
    source: Address


def find_signer(path: str | None, environment: Mapping[str, str]) -> Signer:
    """The key in the file, or the usual one, or the first that ssh-agent holds. Raises SshKeyError and OSError."""
    agent = environment.get("SSH_AUTH_SOCK", "")
    if path is not None:
        return _from_file(Path(path), agent)
    home = Path(environment.get("HOME", "/"))
    for name in USUAL_KEYS:
        if (home / name).is_file():
            return _from_file(home / name, agent)
    found = ssh_agent.keys_of(agent) if agent else []
    if not found:
        usual = " or ".join(f"~/{name}" for name in USUAL_KEYS)
        raise SshKeyError(f"there is no key: not in {usual}, nor does ssh-agent hold one; name a file with --key")
    return Signer(SshKey(found[0].public), found[0].comment, agent)


def _from_file(path: Path, agent: str) -> Signer:
    with path.open(errors="replace") as file:
        text = file.read(FILE_BYTES_MAX + 1)
    if len(text) > FILE_BYTES_MAX:
        raise SshKeyError(f"{path} is larger than {FILE_BYTES_MAX} bytes: it is no key")
    try:
        key = read_key(text)
    except SshKeyError as error:
        raise SshKeyError(f"{path}: {error}") from None
    if key.private is not None:
        if ed25519.public_key_of(key.private) != key.public:
            raise SshKeyError(f"{path}: the key is damaged: its halves do not belong together")
        return Signer(key, str(path))
    what = "is encrypted" if key.encrypted else "is the public half"
    if not agent:
        raise SshKeyError(
            f"{path} {what}, and there is no ssh-agent to ask: eval $(ssh-agent); ssh-add {_secret(path)}"
        )
    if not any(held.public == key.public for held in ssh_agent.keys_of(agent)):
        raise SshKeyError(f"{path} {what}, and ssh-agent does not hold it yet: ssh-add {_secret(path)}")
    return Signer(key, str(path), agent)


def _secret(path: Path) -> str:
    return str(path).removesuffix(".pub")


def find_way(host: str, port: int, version: int | None) -> Way:
    """Where a host is, and which of our addresses talks to it; nothing is sent yet. Raises KnockingError."""
    try:
        found = socket.getaddrinfo(host, port, FAMILIES[version], socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise KnockingError(f"{host} is not found: {getattr(error, 'strerror', None) or error}") from None
    reason = "no address"
    for family, _kind, _protocol, _name, place in found:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(place)
                return Way(_address(str(place[0])), port, _address(probe.getsockname()[0]))
            except OSError as error:
                reason = error.strerror or str(error)
    raise KnockingError(f"there is no way to {host}: {reason}")


def send_knock(way: Way, name: str, address: Address, minutes: int, signer: Signer) -> Knock:
    """Sign and send one knock, for the host that is called `name`; give it. Raises what signing raises, and OSError."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    knock = Knock(key_id_of(signer.key.public), int(time.time() * 1000), nonce, address, minutes)
    datagram = knock.body() + signer.sign(knock.signed_for(name))
    family = socket.AF_INET if way.address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as sending:
        if address == way.source:
            sending.bind((str(way.source), 0))
        sending.sendto(datagram, (str(way.address), way.port))
    return knock


def _address(text: str) -> Address:
    return parse_address(str(ip_address(text.partition("%")[0])))
