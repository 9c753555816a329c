"""`web.proxies`: networks and names of CDNs become networks; what is neither is named with its line."""

from pathlib import Path

import pytest

from durward.catalog.document import ProblemsError
from durward.catalog.proxy_card import load_proxies
from durward.catalog.shelf import directories_of
from durward.config.proxies import WIDEST, proxies_of
from durward.config.settings import load_settings


def resolved(etc: Path, value: str) -> dict[str, str]:
    (etc / "durward.toml").write_text(f"[web]\nproxies = {value}\n")
    return {str(network): whose for network, whose in proxies_of(load_settings(etc, [], []), etc)}


def test_names_and_networks(tmp_path: Path) -> None:
    found = resolved(tmp_path, '["Cloudflare", "192.0.2.0/24", "2001:db8:cd::1"]')
    assert found["192.0.2.0/24"] == "a proxy of this host's (web.proxies)"
    assert "a proxy of Cloudflare's (web.proxies)" in found.values()
    assert "2001:db8:cd::1/128" in found
    assert resolved(tmp_path, "[]") == {}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('["cloudfare"]', "did you mean cloudflare?"),
        ('["192.0.2.0/33"]', "neither a network nor a known CDN"),
        ('["0.0.0.0/0"]', "too wide"),
        ('["::/0"]', "too wide"),
    ],
)
def test_what_is_none_is_named_with_its_line(tmp_path: Path, value: str, expected: str) -> None:
    with pytest.raises(ProblemsError, match=expected) as caught:
        resolved(tmp_path, value)
    assert str(caught.value).startswith(f"{tmp_path / 'durward.toml'}:2: web.proxies: ")


def test_a_site_adds_a_cdn_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "proxies").mkdir()
    (tmp_path / "proxies" / "ours.toml").write_text('title = "Ours"\nnetworks = ["203.0.113.0/24"]\n')
    assert list(resolved(tmp_path, '["ours"]')) == ["203.0.113.0/24"]


def test_the_cards_of_the_shelf() -> None:
    for card in load_proxies(directories_of("proxies")).values():
        assert card.source.startswith("https://")
        assert all(network.is_global and network.prefixlen >= WIDEST[network.version] for network in card.networks)
