"""The channel: words and answers over real sockets, descriptors beside them, and no answer that makes no sense."""

import json
import os
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from durward.control.channel import (
    DESCRIPTORS_MAX,
    REPLY_BYTES_MAX,
    Channel,
    ChannelError,
    answer,
    listen,
    peer_of,
    receive,
)
from durward.control.words import MESSAGE_BYTES_MAX, decode

Serve = Callable[[socket.socket], None]


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with left, right:
        yield left, right


@contextmanager
def talking(directory: Path, serve: Serve) -> Iterator[Channel]:
    """A channel to a server of its own, which serves one connection."""
    path = directory / "enforcer.sock"
    with listen(path, socket.SOCK_SEQPACKET, 0o600) as listener:
        listener.setblocking(True)

        def run() -> None:
            connection, _ = listener.accept()
            with connection:
                serve(connection)

        thread = Thread(target=run)
        thread.start()
        channel = Channel(path)
        channel.connect()
        yield channel
        channel.close()
        thread.join()


def opened() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_word_and_its_answer(tmp_path: Path) -> None:
    def serve(connection: socket.socket) -> None:
        word = decode(receive(connection)[0])
        answer(connection, {"heard": word.name, "path": word.fields["path"]})

    with talking(tmp_path, serve) as channel:
        assert channel.peer() == os.getpid()
        assert channel.ask("open file", path="/var/log/auth.log") == {"heard": "open file", "path": "/var/log/auth.log"}


def test_descriptors_come_beside_the_answer(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a line\n")

    def serve(connection: socket.socket) -> None:
        receive(connection)
        with (tmp_path / "log").open("rb") as file:
            answer(connection, {}, [file.fileno(), file.fileno()])

    before = opened()
    with talking(tmp_path, serve) as channel:
        _reply, descriptors = channel.ask_descriptors("open file", path="/log")
        assert [os.pread(descriptor, 100, 0) for descriptor in descriptors] == [b"a line\n"] * 2
        assert not any(os.get_inheritable(descriptor) for descriptor in descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
    assert opened() == before


@pytest.mark.parametrize("packet", [b"{", b"[]", b"17", b"null", b"\xff", b'"error"', b'{"error":"no"}'])
def test_an_answer_that_is_none_is_an_error_and_its_descriptors_are_closed(tmp_path: Path, packet: bytes) -> None:
    def serve(connection: socket.socket) -> None:
        receive(connection)
        socket.send_fds(connection, [packet], [0, 1])

    before = opened()
    with talking(tmp_path, serve) as channel:
        with pytest.raises(ChannelError):
            channel.ask("open watch")
        assert channel.connected == (packet == b'{"error":"no"}'), "a refusal is an answer; nonsense ends the talk"
    assert opened() == before


def test_an_answer_that_was_cut_off_makes_no_sense(tmp_path: Path) -> None:
    def serve(connection: socket.socket) -> None:
        receive(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        connection.send(json.dumps({"paths": "a" * REPLY_BYTES_MAX}).encode())

    with talking(tmp_path, serve) as channel, pytest.raises(ChannelError, match="makes no sense"):
        channel.ask("open watch")


def test_an_answer_that_is_too_long_is_not_sent(pair: tuple[socket.socket, socket.socket]) -> None:
    answer(pair[0], {"paths": "a" * REPLY_BYTES_MAX})
    assert json.loads(receive(pair[1], REPLY_BYTES_MAX)[0]) == {"error": "the answer is too long"}


def test_when_the_enforcer_goes_the_talk_is_over(tmp_path: Path) -> None:
    with talking(tmp_path, lambda connection: receive(connection) and None) as channel:
        with pytest.raises(ChannelError, match="ended the connection"):
            channel.ask("open watch")
        assert (channel.connected, channel.fileno(), channel.peer()) == (False, -1, 0)
        with pytest.raises(ChannelError, match="not connected"):
            channel.ask("open watch")


def test_what_is_no_word_is_not_said_and_the_talk_goes_on(tmp_path: Path) -> None:
    with talking(tmp_path, lambda connection: answer(connection, {"heard": len(receive(connection)[0])})) as channel:
        with pytest.raises(ChannelError, match="cannot be asked"):
            channel.ask("open file", path="/" + "\udcff" * 1000)
        assert channel.ask("open watch")["heard"] > 0


def test_where_nobody_listens_there_is_no_connection(tmp_path: Path) -> None:
    channel = Channel(tmp_path / "nowhere.sock")
    with pytest.raises(ChannelError, match=r"does not answer at .*nowhere\.sock"):
        channel.connect()
    with pytest.raises(ChannelError):
        Channel(tmp_path / ("long" * 50)).connect()
    assert not channel.connected


def test_a_packet_that_is_too_long_comes_longer_than_allowed(pair: tuple[socket.socket, socket.socket]) -> None:
    pair[0].send(b"x" * (MESSAGE_BYTES_MAX + 100))
    assert len(receive(pair[1])[0]) == MESSAGE_BYTES_MAX + 1


def test_too_many_descriptors_are_an_error_and_none_stays_open(pair: tuple[socket.socket, socket.socket]) -> None:
    socket.send_fds(pair[0], [b"many"], [0] * DESCRIPTORS_MAX)
    packet, descriptors = receive(pair[1])
    assert (packet, len(descriptors)) == (b"many", DESCRIPTORS_MAX)
    for descriptor in descriptors:
        os.close(descriptor)
    before = opened()
    socket.send_fds(pair[0], [b"more"], [0] * (DESCRIPTORS_MAX + 1))
    with pytest.raises(OSError, match="descriptors"):
        receive(pair[1])
    assert opened() == before


def test_a_peer_that_is_gone_gives_nothing(pair: tuple[socket.socket, socket.socket]) -> None:
    pair[0].close()
    assert receive(pair[1]) == (b"", [])
    with pytest.raises(OSError):
        answer(pair[1], {})


def test_who_is_at_the_other_end_is_what_the_kernel_says(pair: tuple[socket.socket, socket.socket]) -> None:
    assert peer_of(pair[0]) == (os.getpid(), os.getuid(), os.getgid())


def test_a_socket_replaces_a_dead_one_and_has_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "a.sock"
    for mode in (0o600, 0o660):
        with listen(path, socket.SOCK_SEQPACKET, mode) as listener:
            assert stat.S_IMODE(path.stat().st_mode) == mode
            assert not listener.getblocking()
            assert not os.get_inheritable(listener.fileno())
    assert stat.S_ISSOCK(path.stat().st_mode)
