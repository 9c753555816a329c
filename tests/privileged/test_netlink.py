"""Answers of the kernel, whole, cut and wrong; and a socket that meets other people's messages."""

import errno
import os
import socket
import struct
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from durward.privileged.failure import KernelError
from durward.privileged.netlink import (
    ERROR,
    HEADER,
    ROUTE,
    Message,
    Netlink,
    attribute,
    attributes,
    each_attribute,
    messages,
    refusal_of,
    request,
)

GET_ADDRESS = 22


def test_a_datagram_is_taken_apart() -> None:
    data = request(1, 0, 7, b"abc") + b"\0" + request(2, 0, 8, b"")
    found = [(one.type, one.sequence, bytes(one.body)) for one in messages(memoryview(data))]
    assert found == [(1, 7, b"abc"), (2, 8, b"")]


@pytest.mark.parametrize("length", [0, 15, 21, 1 << 31])
def test_a_message_of_a_wrong_length_is_an_error(length: int) -> None:
    data = HEADER.pack(length, 1, 0, 1, 0) + b"abcd"
    with pytest.raises(KernelError) as refused:
        list(messages(memoryview(data)))
    assert refused.value.number == errno.EBADMSG


@given(st.lists(st.tuples(st.integers(1, 1000), st.binary(max_size=40)), max_size=10))
def test_attributes_are_read_as_written(written: list[tuple[int, bytes]]) -> None:
    data = b"".join(attribute(kind, payload) for kind, payload in written)
    assert [(kind, bytes(payload)) for kind, payload in each_attribute(data)] == written
    assert {kind: bytes(payload) for kind, payload in attributes(data).items()} == dict(written)


@given(st.binary(max_size=200))
def test_no_bytes_upset_the_readers(data: bytes) -> None:
    dict(each_attribute(data))
    for reader in (
        lambda: list(messages(memoryview(data))),
        lambda: refusal_of(Message(ERROR, 0x300, 1, memoryview(data))),
    ):
        try:
            reader()
        except KernelError as error:
            assert error.number == errno.EBADMSG  # noqa: PT017 - anything else fails the test by itself


def test_the_reason_and_the_place_of_an_error_are_read() -> None:
    asked = request(1, 0, 7, b"a request of some length")
    extras = attribute(1, b"a plain reason\0") + attribute(2, struct.pack("=I", 44))
    body = struct.pack("=i", -errno.EINVAL) + asked + extras
    refusal = refusal_of(Message(ERROR, 0x200, 7, memoryview(body)))
    assert (refusal.number, refusal.offset) == (errno.EINVAL, 44)
    assert refusal.text == f"{os.strerror(errno.EINVAL)}: a plain reason"
    capped = struct.pack("=i", -errno.EINVAL) + asked[: HEADER.size] + extras
    assert refusal_of(Message(ERROR, 0x300, 7, memoryview(capped))).offset == 44


def test_sequence_numbers_start_again_before_they_overflow() -> None:
    with Netlink(ROUTE) as netlink:
        netlink._sequence = (1 << 32) - 3
        assert netlink.numbers(10) == 1
        assert netlink.numbers() == 11


def test_a_dump_gives_every_entry() -> None:
    with Netlink(ROUTE) as netlink:
        found = netlink.dump(GET_ADDRESS, struct.pack("=BBBBI", socket.AF_INET, 0, 0, 0, 0))
    packed = [attributes(body[8:])[1] for _, body in found]
    assert "127.0.0.1" in {str(ip_address(bytes(address))) for address in packed}


def test_answers_to_others_are_passed_over() -> None:
    with Netlink(ROUTE) as netlink:
        stale = netlink.numbers()
        netlink.send(request(60_000, 0x4, stale, b""))
        found = netlink.dump(GET_ADDRESS, bytes(8))
        assert {kind for kind, _ in found} == {20}


def test_what_the_kernel_refuses_to_list_is_told() -> None:
    with Netlink(ROUTE) as netlink, pytest.raises(KernelError, match="refused to list"):
        netlink.dump(60_000, bytes(8))


def test_silence_is_an_error_and_no_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("durward.privileged.netlink.ANSWER_SECONDS_MAX", 1)
    with Netlink(ROUTE) as netlink, pytest.raises(KernelError, match="did not answer") as silent:
        netlink.receive()
    assert silent.value.number == errno.ETIMEDOUT


def test_what_does_not_fit_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("durward.privileged.netlink.ANSWER_BYTES_MAX", 64)
    with Netlink(ROUTE) as netlink, pytest.raises(KernelError, match="was cut"):
        netlink.dump(GET_ADDRESS, bytes(8))


@pytest.mark.kernel
def test_only_the_kernel_is_believed() -> None:
    with Netlink(ROUTE) as netlink, socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, ROUTE) as other:
        other.bind((0, 0))
        other.sendto(request(20, 0, 1, b"not from the kernel"), (netlink._socket.getsockname()[0], 0))
        sequence = netlink.numbers()
        netlink.send(request(60_000, 0x4, sequence, b""))
        (answer,) = netlink.receive()
        assert (answer.type, answer.sequence) == (ERROR, sequence)
