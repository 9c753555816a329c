"""Nobody is locked out: every mistake of the table, by a real administrator on a real host, ends with him in."""

import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.attacks.administrator import Administrator
from tests.attacks.firewalled import Firewalled
from tests.attacks.mistakes import FORCED, MISTAKES, Mistake

pytestmark = [pytest.mark.kernel, pytest.mark.slow]

HOSTS_AT_ONCE = 5  # most of the time passes while trials do
BACK_SECONDS = 27.0  # the trial's own and a slow machine's
DISK_MIB = 4
CLOCK = Path(__file__).with_name("clock.c")


class Host(Firewalled):
    """A host for one mistake, whose disk is small, and whose clock can be set where the mistake is about that."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(begin=mistake.begin)
        self.mistake = mistake

    def before_start(self) -> None:
        lib = self.durward.home / "lib"
        lib.mkdir()
        self.door.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "small", lib], check=True)
        if self.mistake.is_about_clock:
            library, clock = self.durward.home / "clock.so", self.durward.home / "clock"
            subprocess.run(["cc", "-shared", "-fPIC", "-o", library, CLOCK], check=True)
            clock.write_text("0")
            more = {"LD_PRELOAD": str(library), "SETTABLE_CLOCK": str(clock)}
            environment = self.durward._environment() | more
            self.durward._environment = lambda: environment  # type: ignore[method-assign]

    def rules(self) -> list[str]:
        """What decides now, as the kernel has it."""
        return [line for line in self.table().splitlines() if "elements" not in line and "expires" not in line]


@pytest.fixture(scope="module")
def complaints(request: pytest.FixtureRequest) -> Mapping[str, str]:
    """What went wrong with each mistake that is asked about; they are all made at the same time."""
    asked = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    wanted = {parameters["mistake"] for parameters in asked if "mistake" in parameters}
    with ThreadPoolExecutor(HOSTS_AT_ONCE) as hosts:
        return dict(hosts.map(complaint_about, [mistake for mistake in MISTAKES if mistake in wanted]))


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name.replace(" ", "-"))
def test_nobody_is_locked_out(complaints: Mapping[str, str], mistake: Mistake) -> None:
    assert complaints[mistake.name] == ""


def test_there_are_at_least_thirty_mistakes() -> None:
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES) >= 30


def complaint_about(mistake: Mistake) -> tuple[str, str]:
    """Make a mistake on a host of its own; give its name and what was not as it must be."""
    try:
        with Host(mistake) as host:
            administrator = Administrator(host, mistake.address, port=mistake.port)
            if mistake.host:
                mistake.host(host, administrator)
            with administrator:
                make(host, administrator)
    except Exception as error:  # noqa: BLE001 (told by the test of this mistake)
        return mistake.name, f"{type(error).__name__}: {error}"
    return mistake.name, ""


def make(host: Host, administrator: Administrator) -> None:
    """Type what the mistake is, and see that it ends as it must."""
    mistake = host.mistake
    administrator.types(f"ETC={host.durward.home}/etc")
    *first, last = mistake.types
    for line in first:
        status, said = administrator.types(line)
        assert status == 0, f"{line}: {said}"
    before, state = host.rules(), host.firewall()
    if mistake.ends == "back":
        comes_back(host, administrator, last)
        return
    status, said = administrator.types(last)
    if mistake.ends == "refused":
        assert (status, mistake.says in said) == (mistake.status, True), f"{last}: {status}: {said}"
        assert (host.rules(), host.firewall()) == (before, state)
    else:
        assert (status, mistake.says in said) == (0, True), f"{last}: {status}: {said}"
    is_in(host, administrator)
    if mistake.forced:
        comes_back(host, administrator, FORCED)


def is_in(host: Host, administrator: Administrator) -> None:
    """A new session begins, also after whatever befalls the host, and the old one goes on."""
    host.wait(administrator.gets_in, "a new session begins")
    if host.mistake.befalls:
        host.mistake.befalls(host, administrator)
        host.wait(administrator.gets_in, "afterwards a new session begins")
    assert administrator.is_live(), "his session is over"


def comes_back(host: Host, administrator: Administrator, line: str) -> None:
    """No new session begins during the trial, and one does after it."""
    administrator.enters(line)
    if host.mistake.begin == "confirmed":  # else his session is silent as long as the trial lasts: nothing tracked it
        status, said = administrator.was_told()
        assert status == 0, f"{line}: {status}: {said}"
    else:
        host.wait(lambda: host.firewall() == "trial", "the firewall is on trial")
    if host.mistake.befalls:
        host.mistake.befalls(host, administrator)
    if host.mistake.shuts_out:
        assert not administrator.gets_in(), f"he is not shut out: {host.table()}"
    host.wait(administrator.gets_in, "a new session begins", BACK_SECONDS)
    process = host.durward._process
    assert process is not None
    if process.poll() is not None:
        host.durward.start()
    wanted = host.mistake.begin
    host.wait(lambda: host.firewall() == wanted, f"the firewall is {wanted}")
    host.wait(administrator.gets_in, "when all is over a new session begins")
    if host.mistake.begin == "off":
        assert administrator.was_told()[0] == 0
    assert administrator.is_live(), "his session is over"
