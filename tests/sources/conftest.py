"""What tests of sources share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.sources.following import Following


@pytest.fixture
def following(tmp_path: Path) -> Iterator[Following]:
    """A log that is not followed yet, and not there."""
    given = Following(tmp_path)
    yield given
    given.file.close()
