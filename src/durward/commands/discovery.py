"""What doctor says of services that are installed: do their lines come, and if not, where were they looked for?"""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from durward.catalog.service_card import ServiceCard
from durward.commands.terminal import quantity
from durward.config.settings import ServiceSettings
from durward.facts.installed import JOURNAL, Installed, installed
from durward.model import Finding

CHECK = "service"
SHOWN_MAX = 4  # sources of a service are named; of more the number is said
FILE = "file:"


def findings(
    services: Sequence[ServiceCard], settings: Mapping[str, ServiceSettings], sources: Any, root: Path = Path("/")
) -> Iterator[Finding]:
    """One for each service that is installed; `sources` are those of `status`, as the engine gave them."""
    known = [one for one in sources if isinstance(one, dict)] if isinstance(sources, list) else []
    for one in installed(services, root):
        yield _finding(one, settings[one.card.id], known)


def _finding(one: Installed, settings: ServiceSettings, sources: list[dict[str, Any]]) -> Finding:
    if not settings.enabled:
        said = f"is installed ({one.mark}) and switched off: services.{one.card.id}.enabled"
        return Finding(CHECK, one.card.id, "not_applicable", said)
    there = [source for source in sources if not source.get("absent") and _is_of(source, settings)]
    if not there:
        wanted = [*settings.files, *(f"the journal of {unit}" for unit in settings.journal)]
        places = ", ".join(wanted) or "nowhere"
        said = f"is installed ({one.mark}); its lines are looked for in {places}; none is there"
        return Finding(CHECK, one.card.id, "unknown", said)
    heard = [source for source in there if source.get("lines")]
    names = ", ".join(_shown(source) for source in (heard or there)[:SHOWN_MAX])
    more = len(heard or there) - SHOWN_MAX
    names += f" and {more} more" if more > 0 else ""
    if not heard:
        return Finding(CHECK, one.card.id, "unknown", f"is installed; no line has come since the start by {names}")
    return Finding(CHECK, one.card.id, "pass", f"is installed; lines come by {names}")


def _is_of(source: Mapping[str, Any], settings: ServiceSettings) -> bool:
    name = str(source.get("name", ""))
    if name == JOURNAL:
        return bool(settings.journal)
    return any(fnmatchcase(name.removeprefix(FILE), glob) for glob in settings.files)


def _shown(source: Mapping[str, Any]) -> str:
    lines, events = int(source.get("lines") or 0), int(source.get("events") or 0)
    name = str(source.get("name", "")).removeprefix(FILE)
    return f"{name} ({quantity(lines, 'line')}, {quantity(events, 'event')})" if lines else name
