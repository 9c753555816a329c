"""durward's own rule set in a namespace: the skeleton, its high profile, blocked addresses, and merged lists."""

import re
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from tests.kernel.namespaces import Namespace

from durward.config.home import Home
from durward.config.loading import load, load_lists
from durward.config.profiles import PACKAGED
from durward.facts.firewall import policy_of
from durward.facts.host import host_now
from durward.privileged.loading import run_nft
from durward.privileged.merged import MergedSets, Refused, reading
from durward.privileged.names import present
from durward.privileged.sets import Sets
from durward.ruleset.elements import Element
from durward.ruleset.firewall import firewall
from durward.ruleset.floods import sysctls
from durward.ruleset.policy import MergedList, Policy
from durward.ruleset.prefixes import Prefixes
from durward.ruleset.skeleton import skeleton
from durward.ruleset.switch import Firewall, switch

PROFILE_HEAD = re.compile(r"\A.*?^(?=\[)", re.DOTALL | re.MULTILINE)
BLOCK_SECONDS = 86_400


def high_policy(namespace: Namespace, merged: tuple[MergedList, ...] = ()) -> Policy:
    """What the profile "high" wants of the firewall on the host that the namespace is."""
    text = PROFILE_HEAD.sub("", (PACKAGED / "high.toml").read_text()).replace("[set.", "[")
    with tempfile.TemporaryDirectory() as folder:
        home = Home(*(Path(folder) / part for part in ("etc", "lib", "run")))
        home.etc.mkdir()
        (home.etc / "durward.toml").write_text(text)
        with namespace.inside():
            host = replace(host_now([22]), tracks_whole_connections=True)
        policy = policy_of(load(home).settings, load_lists(home), host, home.etc)
    return replace(policy, merged=merged)


def protect(namespace: Namespace, policy: Policy, blocked: Iterable[int] = (), listed: Iterable[str] = ()) -> None:
    """Have the policy decide, with IPv4 addresses blocked one by one, and networks in its first merged list."""
    for name, value in sysctls(policy):
        namespace.run("sh", "-c", f"echo {value} > /proc/sys/{name.replace('.', '/')}")
    namespace.run("nft", "-f", "-", given=skeleton(policy.block_prefix_v6))
    with namespace.inside():
        with Sets() as sets:
            sets.add(
                Element("block4_32", number.to_bytes(4), BLOCK_SECONDS, f"decision {number}") for number in blocked
            )
        run_nft(switch(present(), Firewall.marked("a", firewall(policy, "a"))))
        if policy.merged:
            _fill(policy.merged[0], listed)


def _fill(merged: MergedList, texts: Iterable[str]) -> None:
    prefixes = Prefixes()
    for _ in reading(texts, prefixes, Refused()):
        pass
    filling = prefixes.filling(1)
    with MergedSets() as sets:
        for _ in sets.fill(merged.name, filling, prefixes):
            pass
        sets.swap(merged, filling, ["a"])
