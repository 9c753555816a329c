"""What a setting read can be written again, and reads the same."""

from typing import Any

import pytest
from tests.config.cards import SERVICES, detectors

from durward.catalog.setting import READERS, Setting
from durward.catalog.spelling import SPELLINGS, spelled
from durward.config.schema import schema_of

SAMPLES: dict[str, tuple[Any, ...]] = {
    "count": (0, 7),
    "number": (2, 2.5),
    "duration": ("90s", "1h", "forever"),
    "text": ("", "a b"),
    "texts": ([], ["a", "b"]),
    "paths": (["/var/log/a"],),
    "boolean": (True, False),
    "choice": ("same",),
    "choices": (["same"],),
    "ports": ("22,80:90", "", "same"),
    "service_ports": ("22,53/udp", ""),
    "rate": ("off", "5/m burst 10", "10/h total", "1/s per port"),
    "port_floods": ("22;tcp;5;300", ["53/udp 9/1d"]),
    "connection_limits": ("22;5,80;20", []),
    "knocks": ("22;TCP;20;7000;8000;9000", []),
    "places": (["nl", "as64500"], []),
    "probed": ("0:65535,ICMP", ["22", "80:90", "BRD"], []),
    "budget": ("20/h", "off", "1/d"),
    "hours": ("22:00-7:00", "never"),
}


def test_there_is_a_sample_of_every_kind() -> None:
    assert set(SAMPLES) == set(READERS)
    assert set(SPELLINGS) <= set(READERS)


@pytest.mark.parametrize(("kind", "written"), [(kind, one) for kind, some in SAMPLES.items() for one in some])
def test_what_was_read_is_spelled_and_reads_the_same(kind: str, written: Any) -> None:
    setting = Setting("x", kind, None, choices=("same",))
    value = setting.read(written)
    assert setting.read(spelled(value, setting)) == value


def test_every_default_can_be_spelled() -> None:
    schema = schema_of(SERVICES, detectors())
    for key in schema.root.all_keys():
        setting = schema.setting(key)
        assert setting is not None
        assert setting.read(spelled(setting.default, setting)) == setting.default, key
