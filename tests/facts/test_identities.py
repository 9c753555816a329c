"""Users and groups of filters: small letters find their owner, and too many filters are refused."""

from pathlib import Path

import pytest
from tests.facts.test_firewall import Etc

from durward.config.home import Home
from durward.facts import identities
from durward.facts.accounts import UnknownAccountError


@pytest.fixture
def etc(tmp_path: Path) -> Etc:
    return Etc(Home.below(tmp_path))


def test_a_name_with_capitals_is_found_though_the_line_was_read_in_small_letters(
    etc: Etc, monkeypatch: pytest.MonkeyPatch
) -> None:
    def user_id(name: str) -> int:
        if name == "Debian-exim":
            return 108
        raise UnknownAccountError("user", name, "Debian-exim")

    monkeypatch.setattr(identities, "user_id", user_id)
    assert etc.policy(deny="tcp|out|d=25||u=Debian-exim\n").deny_filters[0].user == "108"
    [problem] = etc.problems(deny="tcp|out|d=25||u=debian-exin\n")
    assert problem.nearest == "Debian-exim"


def test_more_filters_than_packets_can_wait_for(etc: Etc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identities, "FILTERS_MAX", 2)
    lines = "".join(f"icmp|in|d=ping|s=192.0.2.{number}\n" for number in range(3))
    [problem] = etc.problems(deny=lines)
    assert (problem.line, problem.message) == (3, "more than 2 filters")
