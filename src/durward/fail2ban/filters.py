"""fail2ban's filters: the expressions that find somebody's address in a line."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from durward.fail2ban.failure import Fail2banError
from durward.fail2ban.files import read_sections
from durward.fail2ban.values import Values

DEFINITION = "Definition"
EXPRESSIONS_MAX = 200  # of one filter; more are refused
# fail2ban's own word for what syslog writes before a message. durward reads that once for all services.
PREFIX = "__prefix_line"


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter. `site` are the expressions that files of this host add to those of the package.

    `ignored` are those of its `ignoreregex`, `site_ignored` the ones of them that files of this host add.
    """

    name: str
    place: str
    daemon: str
    prefix: str
    expressions: tuple[str, ...]
    ignored: tuple[str, ...]
    date_pattern: str
    lines: str
    journal_match: str
    site: tuple[str, ...] = ()
    site_ignored: tuple[str, ...] = ()


def read_filter(directory: Path, name: str, options: Mapping[str, str]) -> Filter | None:
    """Read `filter.d/NAME.conf` and `.local` below `directory`; None where there is neither. Raises Fail2banError."""
    paths = [directory / "filter.d" / f"{name}{suffix}" for suffix in (".conf", ".local")]
    there = [path for path in paths if path.is_file()]
    if not there:
        return None
    sections = read_sections(paths)
    values = Values(sections, options, frozenset({PREFIX}))

    def text(key: str) -> str:
        return values.text(DEFINITION, key)

    expressions = _lines(text("failregex"))
    before = _before(values, "failregex")
    before_ignored = _before(values, "ignoreregex")
    ignored = _lines(text("ignoreregex"))
    if len(expressions) > EXPRESSIONS_MAX:
        raise Fail2banError(f"{there[0]}: more than {EXPRESSIONS_MAX} expressions")
    return Filter(
        name,
        str(there[0]),
        text("_daemon"),
        text("prefregex"),
        expressions,
        ignored,
        text("datepattern"),
        text("maxlines"),
        text("journalmatch"),
        tuple(line for line in expressions if line not in before) if before else (),
        tuple(line for line in ignored if line not in before_ignored) if paths[1] in there else (),
    )


def _before(values: Values, key: str) -> set[str]:
    """What the files of the package say, where one of this host's says something else."""
    return {line for value in values.earlier(DEFINITION, key) for line in _lines(value)}


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.split("\n") if line.strip())
