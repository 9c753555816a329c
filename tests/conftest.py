"""What every test shares: kernel tests need root, and no example is judged by how long it took."""

import os

import pytest
from hypothesis import settings

settings.register_profile("durward", deadline=None, print_blob=True)
settings.load_profile("durward")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A kernel test without root fails with advice; a skip would look like a pass."""
    if item.get_closest_marker("kernel") and os.geteuid() != 0:
        pytest.fail("needs root for network namespaces; ./test QUICK=1 leaves kernel tests out", pytrace=False)
