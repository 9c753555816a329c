"""A flood of SYNs from sources that do not exist: python -m tests.kernel.syn_flood HARDWARE PORT PER_SECOND TO."""

import os
import random
import socket
import sys
import time

from tests.kernel.frames import head_to, tcp

PACKETS = 4_096  # different ones, sent again and again
SECONDS_MAX = 30
BURST = 50


def sources(*, six: bool) -> list[str]:
    """Addresses of a private network, which nobody answers from."""
    numbers = random.Random(7).sample(range(1 << 20), PACKETS)
    if six:
        return [f"2001:db8:ff:{number & 0xFFFF:x}::{number >> 16:x}" for number in numbers]
    return [f"10.{64 + (number >> 16)}.{number >> 8 & 255}.{number & 255}" for number in numbers]


def main() -> None:
    hardware, port, per_second, to = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    frames = [head_to(hardware, six=":" in to) + tcp(source, port, to=to) for source in sources(six=":" in to)]
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sending:
        sending.bind(("near", 0))
        sys.stdout.write("flooding\n")
        sys.stdout.flush()
        began, sent = time.monotonic(), 0
        while (passed := time.monotonic() - began) < SECONDS_MAX:
            for frame in frames[sent % PACKETS : sent % PACKETS + BURST]:
                sending.send(frame)
                sent += 1
            time.sleep(max(0.0, sent / per_second - passed))


if __name__ == "__main__":
    os.nice(5)
    main()
