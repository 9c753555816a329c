"""Rules are tried in the real kernel, and the host's own network is not touched."""

import subprocess

import pytest

from durward.facts.trying import complaint_about
from durward.ruleset.firewall import firewall
from durward.ruleset.policy import Policy
from durward.ruleset.skeleton import skeleton

pytestmark = pytest.mark.kernel
DROPPING = """\
table inet durward_tried {
	chain a { type filter hook input priority 0; policy drop;
	}
}
"""


def tables() -> str:
    return subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True).stdout


def test_what_the_kernel_takes_has_no_complaint_and_nothing_stays() -> None:
    before = tables()
    assert complaint_about(skeleton() + firewall(Policy(), "a")) == ""
    assert complaint_about(DROPPING) == ""
    assert tables() == before


@pytest.mark.parametrize(
    ("rules", "said"),
    [("nonsense\n", "syntax error"), ("add rule inet durward nowhere accept\n", "No such file")],
)
def test_what_it_does_not_take_is_said(rules: str, said: str) -> None:
    assert said in complaint_about(rules)
