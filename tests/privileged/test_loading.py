"""The skeleton in a real kernel: loaded once, left alone while it is right, replaced as a whole when it is not."""

import os
import pwd
from pathlib import Path

import pytest
from tests.kernel.namespaces import Namespace

from durward.daemons.privileges import CAP_NET_ADMIN, become
from durward.privileged import loading
from durward.privileged.failure import KernelError
from durward.privileged.loading import load, run_nft, table_state, unload
from durward.privileged.sets import Sets
from durward.ruleset.elements import Element
from durward.ruleset.skeleton import skeleton

pytestmark = pytest.mark.kernel
BLOCK = Element("block4_32", bytes((203, 0, 113, 9)), 600, "decision 17")


def test_the_table_is_missing_then_current(namespace: Namespace) -> None:
    assert table_state(skeleton()) == "missing"
    assert load(skeleton())
    assert table_state(skeleton()) == "current"
    assert table_state(skeleton(56)) == "different"
    unload()
    unload()
    assert table_state(skeleton()) == "missing"


def test_loading_again_keeps_the_elements(sets: Sets) -> None:
    sets.add([BLOCK])
    generation = sets.generation()
    assert not load(skeleton())
    assert not load(skeleton(), [Element("block4_32", bytes((203, 0, 113, 10)), 0, "")])
    assert sets.generation() == generation
    assert sets.read([BLOCK.identity]) != [None]


@pytest.mark.parametrize(
    "change",
    [
        "flush chain inet durward arriving4",
        "add rule inet durward refuse6 accept",
        "insert rule inet durward prerouting accept",
        "add table inet durward { flags dormant; }",
    ],
)
def test_a_table_changed_by_hand_is_replaced(sets: Sets, namespace: Namespace, change: str) -> None:
    namespace.run("nft", *change.split(" ", 3))
    assert table_state(skeleton()) == "different"
    assert load(skeleton(), [BLOCK])
    assert table_state(skeleton()) == "current"
    assert sets.read([BLOCK.identity]) != [None]


def test_chains_beside_the_skeletons_are_no_difference(sets: Sets, namespace: Namespace) -> None:
    namespace.run("nft", "-f", "-", given="table inet durward { chain more { accept; }; }")
    assert table_state(skeleton()) == "current"


def test_a_replacement_fills_in_the_same_transaction(sets: Sets) -> None:
    ports = Element("block_ports4_24", bytes((198, 51, 100, 0, 17, 0, 0, 0, 0, 53, 0, 0)), 0, "decision 18")
    six = Element("allow6_64", bytes.fromhex("20010db8000000000000000000000000"), 1e9, 'by "hand"')
    before = sets.generation()
    assert load(skeleton(56), [BLOCK, ports, six])
    assert sets.generation() == before + 1
    readings = sets.read([BLOCK.identity, ports.identity, six.identity])
    assert [reading and reading.comment for reading in readings] == ["decision 17", "decision 18", "by 'hand'"]
    ends = [reading and reading.expires_in_seconds for reading in readings]
    assert ends == [pytest.approx(600, abs=5), None, pytest.approx(1e9, abs=5)]


def test_what_nft_says_is_told_and_bounded(namespace: Namespace) -> None:
    with pytest.raises(KernelError, match=r"nft refused the rules: .*syntax error"):
        run_nft("no rules at all")
    with pytest.raises(KernelError) as refused:
        run_nft("no rules\n" * 20_000)
    assert len(str(refused.value)) < 2 * loading.OUTPUT_BYTES_MAX


def test_a_missing_nft_is_told(namespace: Namespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "DIRECTORIES", ("/nowhere",))
    with pytest.raises(KernelError, match="nft is not installed"):
        load(skeleton())


def test_nft_that_hangs_is_stopped(namespace: Namespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    slow = tmp_path / "nft"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o700)
    monkeypatch.setattr(loading, "DIRECTORIES", (str(tmp_path),))
    monkeypatch.setattr(loading, "LOAD_SECONDS_MAX", 0.2)
    with pytest.raises(KernelError, match="took more than"):
        load(skeleton())


def test_one_capability_is_enough(namespace: Namespace) -> None:
    user = pwd.getpwuid(65534).pw_name
    child = os.fork()
    if child == 0:
        status = 1
        try:
            become(user, frozenset({CAP_NET_ADMIN}))
            load(skeleton(), [BLOCK])
            with Sets() as sets:
                sets.add([BLOCK])
                status = 0 if sets.read([BLOCK.identity]) != [None] else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with Sets() as sets:
        assert sets.read([BLOCK.identity]) != [None]


def test_without_the_capability_it_is_refused(namespace: Namespace) -> None:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            become(pwd.getpwuid(65534).pw_name)
            load(skeleton())
        except KernelError:
            status = 7
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
