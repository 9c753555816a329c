"""What counts as a probe: ports, and CSF's words for what has none. Read as PS_PORTS and UID_PORTS are written."""

from dataclasses import dataclass

from durward.catalog.traffic import PORT_MAX, PortRange, parse_ports

ICMP, INVALID, OPEN, BROADCAST = "ICMP", "INVALID", "OPEN", "BRD"
WORDS = (ICMP, INVALID, OPEN, BROADCAST)
ITEMS_MAX = 100
EXPECTED = 'ports and words like ["0:65535", "ICMP", "INVALID", "OPEN", "BRD"] were expected'


@dataclass(frozen=True, slots=True)
class Probed:
    """The ports that count and, of WORDS, what counts beside them."""

    ports: tuple[PortRange, ...] = (PortRange(1, PORT_MAX),)
    words: frozenset[str] = frozenset({ICMP, INVALID})

    @property
    def is_every_port(self) -> bool:
        """Whether no port needs to be looked at."""
        return self.ports == (PortRange(1, PORT_MAX),)

    def holds(self, port: int) -> bool:
        """Whether a probe of `port` counts."""
        return any(one.first <= port <= one.last for one in self.ports)

    def items(self) -> list[str]:
        """As a settings file holds it."""
        return [*map(str, self.ports), *(word for word in WORDS if word in self.words)]


def parse_probed(value: object) -> Probed:
    """Read a list of ports and words, or the same as one text with commas. Raises ValueError."""
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list) or len(items) > ITEMS_MAX or not all(isinstance(item, str | int) for item in items):
        raise ValueError(EXPECTED)
    texts = [str(item).strip() for item in items]
    words = frozenset(text.upper() for text in texts if text.upper() in WORDS)
    ports = [text for text in texts if text and text.upper() not in WORDS]
    try:
        return Probed(parse_ports(ports) if ports else (), words)
    except ValueError:
        raise ValueError(EXPECTED) from None
