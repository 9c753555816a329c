"""A proxy's card: its mistakes are named, all of them."""

from pathlib import Path

import pytest

from durward.catalog.document import ProblemsError
from durward.catalog.proxy_card import load_proxies


def test_mistakes_are_named(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text('title = "One"\nnetworks = ["192.0.2.0/24", "nothing"]\ncolour = "red"\n')
    (tmp_path / "two.toml").write_text('title = "Two"\n')
    with pytest.raises(ProblemsError) as caught:
        load_proxies([tmp_path])
    said = str(caught.value)
    assert "one.toml:2: networks: 'nothing'" in said
    assert "one.toml:3: colour" in said
    assert "two.toml:1: networks: at least one network was expected" in said
