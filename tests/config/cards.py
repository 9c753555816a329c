"""What the tests of the settings need: two services, and the packaged detectors."""

from pathlib import Path

from durward.catalog.detector_card import DetectorCard
from durward.catalog.service_card import Reads, ServiceCard
from durward.catalog.shelf import directories_of, load_detectors


def service(name: str, *files: str, journal: tuple[str, ...] = (), csf: tuple[str, ...] = ()) -> ServiceCard:
    """A card that says where its lines are, and nothing else."""
    return ServiceCard(name, Path(f"{name}.toml"), name, name, "", csf, Reads(journal, files, (name,)), (), ())


SERVICES = [
    service("sshd", "/var/log/auth.log", "/var/log/secure", journal=("ssh.service",)),
    service("dovecot", "/var/log/mail.log"),
]


def detectors() -> list[DetectorCard]:
    """The packaged detectors."""
    return load_detectors(directories_of("detectors"))
