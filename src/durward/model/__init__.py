"""The nouns every part speaks of. Frozen values; an invalid one cannot be constructed. Imports nothing of ours."""

from durward.model.address import Address, InvalidAddressError, Network, parse_address, parse_network
from durward.model.decision import EVERYTHING, Decision, Direction, Incident, Listing, Port, Scope, Standing, Verdict
from durward.model.duration import FOREVER, InvalidDurationError, parse_duration
from durward.model.event import Event, Evidence
from durward.model.finding import ABSENT, Finding
from durward.model.subject import Subject

__all__ = [
    "ABSENT",
    "EVERYTHING",
    "FOREVER",
    "Address",
    "Decision",
    "Direction",
    "Event",
    "Evidence",
    "Finding",
    "Incident",
    "InvalidAddressError",
    "InvalidDurationError",
    "Listing",
    "Network",
    "Port",
    "Scope",
    "Standing",
    "Subject",
    "Verdict",
    "parse_address",
    "parse_duration",
    "parse_network",
]
