"""A complaint names the line that asks for what is not there."""

from pathlib import Path

import pytest

from durward.catalog.document import ProblemsError
from durward.config.home import Home
from durward.config.loading import load
from durward.facts.complaints import Complaints


def test_the_place_is_where_it_was_written(tmp_path: Path) -> None:
    home = Home.below(tmp_path)
    (home.etc / "conf.d").mkdir(parents=True)
    (home.etc / "conf.d" / "mail.toml").write_text('[firewall]\n\nsmtp_users = ["bob"]\n')
    complaints = Complaints(load(home).settings)
    complaints.settle()
    complaints.about("firewall.smtp_users", "is nobody", "rob")
    complaints.about("firewall.ping", "is a default")
    with pytest.raises(ProblemsError) as raised:
        complaints.settle()
    one, other = map(str, raised.value.problems)
    assert one.endswith("conf.d/mail.toml:3: firewall.smtp_users: is nobody; did you mean rob?")
    assert other == "durward.toml:1: firewall.ping: is a default"
