"""What every test shares: kernel tests need root, luck judges no change, and nothing is worked out twice."""

import gc
import os
import re
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import settings

import durward.catalog.service_card
import durward.scan.rule
from durward.catalog.service_card import ServiceCard, load_service

# A change is judged by the change, not by luck: each run of ./test draws the same examples, ./test QUICK=1 fewer.
# `just search` draws others.
settings.register_profile("durward", deadline=None, print_blob=True, derandomize=True)
settings.register_profile("quick", deadline=None, print_blob=True, derandomize=True, max_examples=25)
settings.register_profile("search", deadline=None, print_blob=True, max_examples=1000)
settings.load_profile("durward")

SHELF = Path(str(files("durward") / "services"))


@cache
def _loaded(path: Path, raw: bytes) -> ServiceCard:  # by its content: whoever writes into a card gets what he wrote
    return load_service(path)


def _load_service(path: Path) -> ServiceCard:
    return _loaded(path, path.read_bytes()) if path.parent == SHELF else load_service(path)


# Many tests load all cards of the shelf and make a scanner of them. What depends on the text of a card or a pattern
# alone, and is frozen, is worked out once in a process; regular expressions as well, of which `re` would keep 512.
durward.catalog.service_card.load_service = _load_service
durward.scan.rule._framed = cache(durward.scan.rule._framed)
re._MAXCACHE = 1 << 16  # type: ignore[attr-defined]


def pytest_collection_finish() -> None:
    """Thousands of collected tests stay until the end: the garbage collector need not go through them again."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A kernel test without root fails with advice; a skip would look like a pass."""
    if item.get_closest_marker("kernel") and os.geteuid() != 0:
        pytest.fail("needs root for network namespaces; ./test QUICK=1 leaves kernel tests out", pytrace=False)
