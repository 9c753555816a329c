"""One durward for the tests of a file that do not harm it for each other; those that do make their own."""

from collections.abc import Iterator

import pytest
from tests.attacks.scene import Scene


@pytest.fixture
def scene() -> Iterator[Scene]:
    with Scene() as scene:
        yield scene
