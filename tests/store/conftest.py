"""A fresh store for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.store.samples import opened

from durward.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as fresh:
        yield fresh
