"""Asks ssh-agent which keys it holds, and for a signature (draft-ietf-sshm-ssh-agent)."""

import socket
import struct
from typing import NamedTuple

from durward.config.knock_keys import KIND, blob_of, public_key_in
from durward.control.ssh_keys import Reader, SshKeyError, string
from durward.model.knock import SIGNATURE_BYTES

LIST, LISTED, SIGN, SIGNED = 11, 12, 13, 14
ANSWER_BYTES_MAX = 1 << 20
KEYS_MAX = 1000  # of an agent are looked at
PATIENCE_SECONDS = 60.0  # an agent may ask its user first


class AgentKey(NamedTuple):
    """A key of Ed25519 that an agent holds."""

    public: bytes
    comment: str


def keys_of(path: str) -> list[AgentKey]:
    """The keys of Ed25519 that the agent at a socket holds, in its order. Raises SshKeyError."""
    reader = Reader(_ask(path, bytes([LIST]), LISTED))
    found = []
    for _ in range(min(reader.number(), KEYS_MAX)):
        blob, comment = reader.string(), reader.string()
        if Reader(blob).string() == KIND.encode():
            try:
                found.append(AgentKey(public_key_in(blob), comment.decode(errors="replace")))
            except ValueError:
                continue
    return found


def sign(path: str, public: bytes, message: bytes) -> bytes:
    """The agent's signature of a message with one of its keys. Raises SshKeyError, where it refuses too."""
    request = bytes([SIGN]) + string(blob_of(public)) + string(message) + struct.pack(">I", 0)
    signature = Reader(Reader(_ask(path, request, SIGNED)).string())
    kind, raw = signature.string(), signature.string()
    if kind != KIND.encode() or len(raw) != SIGNATURE_BYTES:
        raise SshKeyError("ssh-agent gave a signature of another kind")
    return raw


def _ask(path: str, request: bytes, wanted: int) -> bytes:
    """What the agent answers, without the answer's kind."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as agent:
        agent.settimeout(PATIENCE_SECONDS)
        try:
            agent.connect(path)
            agent.sendall(string(request))
            length = struct.unpack(">I", _receive(agent, 4))[0]
            if not 1 <= length <= ANSWER_BYTES_MAX:
                raise SshKeyError("ssh-agent's answer makes no sense")
            answer = _receive(agent, length)
        except OSError as error:
            raise SshKeyError(f"ssh-agent does not answer at {path}: {error.strerror or error}") from None
    if answer[0] != wanted:
        raise SshKeyError("ssh-agent refused; does it hold the key, and is it unlocked? `ssh-add -l` lists them")
    return answer[1:]


def _receive(agent: socket.socket, count: int) -> bytes:
    received = b""
    while len(received) < count:
        part = agent.recv(count - len(received))
        if not part:
            raise SshKeyError("ssh-agent ended the conversation")
        received += part
    return received
