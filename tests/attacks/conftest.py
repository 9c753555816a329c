"""One durward behind a real sshd for the tests of a file; each test brings attackers of its own."""

from collections.abc import Iterator

import pytest
from tests.attacks.scene import Scene


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with Scene() as scene:
        yield scene
