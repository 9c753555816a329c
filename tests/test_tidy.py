"""STYLE.md as a test: what a reader may take for granted about every file."""

import ast
import ipaddress
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "src" / "durward"
CODE = [ROOT / name for name in ("src", "arena", "bench", "tests")]
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
FORBIDDEN_NAMES = {"util", "utils", "helper", "helpers", "common", "manager", "misc"}
FORBIDDEN_CALLS = {
    "eval": "parse what was written into a value",
    "exec": "call a function",
    "os.system": "subprocess with an argument list",
    "os.popen": "subprocess with an argument list",
    "subprocess.getoutput": "subprocess with an argument list",
    "subprocess.getstatusoutput": "subprocess with an argument list",
}
FORBIDDEN_IMPORTS = {"pickle", "marshal", "shelve", "dill", "cloudpickle"}
PURE = ("scan", "engine", "ruleset", "audit", "messages")
SHELVES = ("services", "detectors", "checks", "feeds", "alerts", "proxies", "crawlers")

DOCUMENTATION = [
    ipaddress.ip_network(text)
    for text in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20")
]
# Addresses that mean something of their own, and may therefore be written where they are meant.
MEANINGFUL = {
    "127.0.0.0/8": "loopback",
    "::1/128": "loopback",
    "0.0.0.0/32": "any address",
    "::/128": "any address",
    "::ffff:0:0/96": "IPv4 within IPv6: folded, and judged by the IPv4 address within",
    "10.0.0.0/8": "private: what a guard or a check says about private networks",
    "172.16.0.0/12": "private",
    "192.168.0.0/16": "private",
    "100.64.0.0/10": "shared by carriers",
    "169.254.0.0/16": "of one link",
    "fe80::/10": "of one link",
    "fc00::/7": "unique local",
    "224.0.0.0/4": "multicast",
    "ff00::/8": "multicast",
    "240.0.0.0/4": "reserved; masks and the broadcast address among them",
    "64:ff9b::/96": "IPv4 behind a translator",
    "192.88.99.0/24": "nobody's any more (RFC 7526): stands for any stranger where a rule set is tried",
    "2002:c058:6300::/40": "the same within IPv6",
    "192.0.0.0/24": "of protocols: no source on the internet",
    "198.18.0.0/15": "for benchmarks: no source on the internet",
    "2001:2::/48": "for benchmarks: no source on the internet",
    "2001:10::/28": "of hashes: no source on the internet",
    "100::/64": "thrown away: no source on the internet",
    "0.0.0.0/8": "of no network: no source at all",
}
ALLOWED = [*DOCUMENTATION, *map(ipaddress.ip_network, MEANINGFUL)]
EXACTLY = {"2.5.5.2": "a section of RFC 4291"}
IPV4 = re.compile(r"(?<![\w.])((?:\d{1,3}\.){3}\d{1,3})(?![\w]|\.\d)(/\d{1,2}\b)?")
IPV6 = re.compile(r"(?<![\w:.])((?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4})(?![\w:.])(/\d{1,3}\b)?")
SAMPLES = re.compile(r"^\[\[(?:pattern\.example|ignored|story|example)\]\].*\n(?:(?!\[).*\n)*", re.MULTILINE)
SLICE = re.compile(r"\d*::\d*")  # of Python: every[1::2]

# Modules without a test of their own in the mirrored folder, and where they are tried instead.
TRIED_ELSEWHERE: dict[str, str] = {
    "commands/alerts": "tests/attacks/test_alerts.py",
    "commands/block": "tests/attacks/test_block_verb.py",
    "commands/listed": "tests/attacks/test_lists.py",
    "commands/listing": "tests/attacks/test_allowed.py",
    "commands/refusing": "tests/commands/test_pages.py",
    "commands/reload": "tests/attacks/test_reload.py",
    "commands/sparing": "tests/attacks/test_mistakes.py",
    "commands/unblock": "tests/attacks/test_taking_back.py",
    "commands/undo": "tests/attacks/test_undo.py",
    "daemons/administrators": "tests/daemons/test_gate.py",
    "daemons/lending": "tests/kernel/test_countries.py",
    "daemons/looking": "tests/attacks/test_refusing.py",
    "privileged/flows": "tests/attacks/test_connections.py",
    "daemons/ssh_ports": "tests/attacks/test_remedies.py",
    "daemons/name_service": "tests/attacks/test_names.py",
    "daemons/neighbours": "tests/attacks/test_refusing.py",
    "engine/detector": "tests/detectors/test_brute_force.py",
    "privileged/changes": "tests/daemons/test_gate.py",
    "privileged/leading": "tests/kernel/test_countries.py",
    "privileged/library": "tests/kernel/test_countries.py",
    "privileged/rules": "tests/privileged/test_foreign.py",
    "scan/batch": "tests/scan/test_scanner.py",
    "scan/lexicon": "tests/scan/test_matcher.py",
    "scan/meaning": "tests/scan/test_scanner.py",
}


def files(*suffixes: str, below: list[Path] = CODE) -> list[Path]:
    """All files with one of these suffixes, in order, without what tools leave behind."""
    return sorted(
        path
        for directory in below
        for path in directory.rglob("*")
        if path.suffix in suffixes and "__pycache__" not in path.parts and ".egg-info" not in str(path)
    )


@cache
def trees() -> dict[Path, ast.Module]:
    """Every file of Python, parsed."""
    return {path: ast.parse(path.read_text()) for path in PYTHON}


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


PYTHON = files(".py")
CARDS = [path for shelf in SHELVES for path in sorted((PACKAGE / shelf).glob("*.toml"))]


def test_the_first_line_says_what_the_file_is_for() -> None:
    silent = []
    for path in PYTHON:
        lines = path.read_text().splitlines() or [""]
        first = lines[1] if lines[0].startswith("#!") and len(lines) > 1 else lines[0]
        if not re.match(r'r?"""\S.{9,}|# \S.{9,}', first):
            silent.append(shown(path))
    assert silent == []


def length_of(path: Path) -> int:
    """The lines of a file; a card's examples and stories are its tests and do not count."""
    text = path.read_text()
    return len((SAMPLES.sub("", text) if path in CARDS else text).splitlines())


def test_no_file_is_too_long() -> None:
    lengths = {shown(path): length_of(path) for path in files(".py", ".toml", ".sql", ".sh")}
    assert {name: length for name, length in lengths.items() if length > FILE_LINES_MAX} == {}


def test_no_function_is_too_long() -> None:
    lengths = {
        f"{shown(path)}:{node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: length for name, length in lengths.items() if length > FUNCTION_LINES_MAX} == {}


def test_no_file_is_named_after_nothing() -> None:
    named = [path for directory in CODE for path in directory.rglob("*") if "__pycache__" not in path.parts]
    assert [shown(path) for path in named if FORBIDDEN_NAMES & set(re.split(r"[_\W]+", path.stem.lower()))] == []


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def dangers(tree: ast.Module) -> Iterator[str]:
    """What this module does that nothing of ours does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            if name in FORBIDDEN_CALLS:
                yield f"line {node.lineno}: {name}; instead: {FORBIDDEN_CALLS[name]}"
            if any(keyword.arg == "shell" and switches(keyword.value) for keyword in node.keywords):
                yield f"line {node.lineno}: shell=; instead: an argument list"
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        yield from (f"imports {name}; instead: JSON" for name in names if name.split(".")[0] in FORBIDDEN_IMPORTS)


def switches(node: ast.expr) -> bool:
    """Whether this value turns something on; the name of a login shell does not."""
    return isinstance(node, ast.Constant) and node.value is True


def test_nothing_computes_what_others_wrote() -> None:
    assert {shown(path): found for path, tree in trees().items() if (found := list(dangers(tree)))} == {}


@pytest.mark.parametrize(
    "source",
    ["eval('1')", "import os\nos.system('ls')", "subprocess.run('ls', shell=True)", "from pickle import loads"],
)
def test_dangers_are_seen(source: str) -> None:
    assert len(list(dangers(ast.parse(source)))) == 1


def test_what_thinks_asks_no_clock() -> None:
    asked = [
        f"{shown(path)}:{node.lineno}: {dotted(node.func)}"
        for path, tree in trees().items()
        if path.parent.parent == PACKAGE and path.parent.name in PURE
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and re.fullmatch(r"(date|datetime)\.(.*\.)?(now|utcnow|today)", dotted(node.func))
    ]
    assert asked == []


def strangers(text: str) -> set[str]:
    """The addresses in a text that belong to somebody; a network around documentation addresses belongs to nobody."""
    found = set()
    for match in (*IPV4.finditer(text), *IPV6.finditer(text)):
        try:
            network = ipaddress.ip_network(match[1] + (match[2] or ""), strict=False)
        except ValueError:
            continue
        address = getattr(network.network_address, "ipv4_mapped", None) or network.network_address
        known = match[1] in EXACTLY or SLICE.fullmatch(match[1]) or any(address in one for one in ALLOWED)
        if not known and not any(network.overlaps(one) for one in DOCUMENTATION):
            found.add(match[1])
    return found


TEXTS = files(
    *(".py", ".toml", ".sql", ".sh", ".md", ".log", ".txt", ".conf", ".nft", ".json", ".jsonl", ".list", ".csv"),
    below=[*CODE, ROOT / "docs", ROOT / "packaging"],
)


def test_samples_use_documentation_addresses() -> None:
    facts = {PACKAGE / "proxies", PACKAGE / "crawlers"}  # the networks that CDNs and search engines really have
    found = {shown(path): strangers(path.read_text(errors="replace")) for path in TEXTS if path.parent not in facts}
    assert {name: addresses for name, addresses in found.items() if addresses} == {}


def test_strangers_are_seen_and_others_are_not() -> None:
    four, six = ".".join("8888"), "2606" + ":4700::1111"
    assert strangers(f"from {four} port 22, {six} and {four}:443") == {four, six}
    assert (
        strangers("192.0.2.1, [2001:db8::1]:22, ::ffff:192.0.2.7, 12:30:45, text[::2], 1.2.3.4.5, 300.1.1.1") == set()
    )


def has_test(module: str, folder: Path) -> bool:
    """Whether a test in `folder` is named after the module or imports it."""
    stem, package = module.rpartition(".")[2], module.rpartition(".")[0]
    wanted = re.compile(rf"\b{re.escape(module)}\b|from {re.escape(package)} import [^\n]*\b{stem}\b")
    tests = list(folder.rglob("test_*.py"))
    return any(path.name == f"test_{stem}.py" or wanted.search(path.read_text()) for path in tests)


def does_something(tree: ast.Module) -> bool:
    """Whether the module has a public function, or a public class with a public method."""
    inside = [node for top in tree.body if isinstance(top, ast.ClassDef) for node in top.body]
    return any(isinstance(node, ast.FunctionDef) and not node.name.startswith("_") for node in (*tree.body, *inside))


def test_every_module_has_its_tests() -> None:
    untested = []
    for path, tree in trees().items():
        if PACKAGE not in path.parents or path.name == "__init__.py" or not does_something(tree):
            continue
        inside = path.relative_to(PACKAGE).with_suffix("")
        if inside.as_posix() in TRIED_ELSEWHERE:
            continue
        if not has_test(".".join(("durward", *inside.parts)), ROOT / "tests" / inside.parent):
            untested.append(inside.as_posix())
    assert untested == [], "write tests/FOLDER/test_NAME.py, or say in TRIED_ELSEWHERE where it is tried"


def test_what_is_tried_elsewhere_is_still_there() -> None:
    assert [name for name in TRIED_ELSEWHERE if not (PACKAGE / f"{name}.py").exists()] == []
    assert [place for place in TRIED_ELSEWHERE.values() if not (ROOT / place).exists()] == []


def test_a_card_is_called_what_its_file_is_called() -> None:
    assert [shown(path) for path in CARDS if not re.fullmatch(r"[a-z][a-z0-9_]*", path.stem)] == []
    assert [shown(path) for path in CARDS if "id" in tomllib.loads(path.read_text())] == [], "the file name is the id"


def test_code_on_a_shelf_lies_beside_its_card() -> None:
    code = [path for shelf in SHELVES for path in (PACKAGE / shelf).glob("*.py") if path.name != "__init__.py"]
    assert [shown(path) for path in code if not path.with_suffix(".toml").exists()] == []


def test_every_folder_is_on_the_map() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text()
    folders = [path.parent.name for path in PACKAGE.glob("*/__init__.py")]
    assert [name for name in folders if f"{name}/" not in page] == []
