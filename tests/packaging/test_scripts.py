"""./start, ./test and what they share: safe to interrupt, clear when they cannot go on."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = ["start", "test", ".ci/run", "packaging/prepare.sh", "packaging/lock.sh", "packaging/install.sh"]
THEIRS = "#!/bin/sh\n# the administrator's own\nexit 0\n"


def bash(script: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """Run bash with prepare.sh sourced and its policy file moved into `directory`."""
    start = f"set -euo pipefail; root={ROOT}; . {ROOT}/packaging/prepare.sh; policy={directory}/policy-rc.d"
    return subprocess.run(
        ["bash", "-c", f"{start}; policy_kept=$policy.kept; {script}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_parse(name: str) -> None:
    assert subprocess.run(["bash", "-n", ROOT / name], check=False).returncode == 0


@pytest.mark.parametrize("name", ["start", "test"])
def test_help_needs_no_root_and_changes_nothing(name: str, tmp_path: Path) -> None:
    done = subprocess.run([ROOT / name, "--help"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"usage: ./{name}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.kernel
@pytest.mark.parametrize(("name", "arguments"), [("start", []), ("start", ["--demo"]), ("test", [])])
def test_without_root_it_says_so(name: str, arguments: list[str], tmp_path: Path) -> None:
    shutil.copytree(ROOT / "packaging", tmp_path / "packaging")
    shutil.copy(ROOT / name, tmp_path)
    tmp_path.chmod(0o755)
    reach = 'mount --bind "$0" /mnt && cd /mnt && exec "$@"'  # pytest's own directories bar the way to others
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all"]
    done = subprocess.run(
        ["unshare", "--mount", "bash", "-c", reach, tmp_path, *nobody, f"/mnt/{name}", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2, done.stderr
    assert "needs root" in done.stderr


def test_while_packages_are_installed_no_service_may_start(tmp_path: Path) -> None:
    done = bash('deny_starts; status=0; "$policy" ssh start || status=$?; echo "$status"', tmp_path)
    assert done.stdout == "101\n", done.stderr


def test_the_administrators_policy_comes_back(tmp_path: Path) -> None:
    (tmp_path / "policy-rc.d").write_text(THEIRS)
    assert bash("deny_starts; allow_starts", tmp_path).returncode == 0
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"policy-rc.d": THEIRS}


def test_the_administrators_policy_comes_back_after_an_interruption(tmp_path: Path) -> None:
    (tmp_path / "policy-rc.d").write_text(THEIRS)
    assert bash("deny_starts; kill -9 $$", tmp_path).returncode == -9
    assert (tmp_path / "policy-rc.d.kept").read_text() == THEIRS
    assert bash("deny_starts; allow_starts", tmp_path).returncode == 0
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"policy-rc.d": THEIRS}


def test_without_a_policy_none_is_left(tmp_path: Path) -> None:
    assert bash("deny_starts; allow_starts", tmp_path).returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_only_missing_packages_are_named(tmp_path: Path) -> None:
    assert bash("missing_of bash coreutils durward-none-such", tmp_path).stdout == "durward-none-such\n"


def test_a_failure_shows_what_was_printed_and_keeps_the_status(tmp_path: Path) -> None:
    done = bash("quietly bash -c 'echo said; exit 3'", tmp_path)
    assert done.returncode == 3
    assert "said" in done.stderr
    assert bash("quietly echo said", tmp_path).stderr == ""


def test_package_lists_hold_names_only(tmp_path: Path) -> None:
    done = bash('packages_of "$root/packaging/apt-run.txt" "$root/packaging/apt-test.txt"', tmp_path)
    names = done.stdout.split()
    assert len(names) == len(set(names)) == len(done.stdout.splitlines())
    assert {"nftables", "python3-venv", "openssh-server"} <= set(names)
