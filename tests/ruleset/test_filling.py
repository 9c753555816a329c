"""Elements as nftables text; that nft takes it is tried where the skeleton is loaded."""

from durward.ruleset.elements import Element
from durward.ruleset.filling import filling


def test_elements_are_gathered_by_set() -> None:
    text = filling(
        [
            Element("block4_32", bytes((203, 0, 113, 9)), 90061.5, "decision 17"),
            Element("allow_ports6_64", bytes.fromhex("20010db8" + "00" * 12 + "1100000000350000"), 0, 'a "b"'),
            Element("block4_32", bytes((203, 0, 113, 8)), 0.001, ""),
        ]
    )
    assert text == (
        "add element inet durward allow_ports6_64 {\n2001:db8:: . udp . 53 comment \"a 'b'\"\n}\n"
        "add element inet durward block4_32 {\n203.0.113.8 timeout 0d0s1ms,\n"
        '203.0.113.9 timeout 1d3661s500ms comment "decision 17"\n}\n'
    )


def test_nothing_is_no_command() -> None:
    assert filling([]) == ""
