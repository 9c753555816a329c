"""How fast a source grows, and of whom most of it is."""

from durward.daemons.floods import LARGE_BYTES, SOURCES_MAX, SPAN_SECONDS, Floods

LINE = b"Nov 23 08:10:00 web1 noisy[12]: again and again and again\n"
OTHER = b"Nov 23 08:10:00 web1 calm[12]: once in a while, something\n"
SOURCE = "file:/var/log/syslog"


def test_the_noisiest_is_named() -> None:
    floods = Floods()
    block = (3 * LINE + OTHER) * (LARGE_BYTES // len(LINE))
    floods.hear(SOURCE, block, block.count(b"\n"), 1000.0)
    told = floods.told(SOURCE)
    assert told.startswith(f"{block.count(LINE[:5]):,} lines")
    assert told.endswith("75% of them of noisy")


def test_the_minute_before_counts_while_this_one_is_young() -> None:
    floods = Floods()
    floods.hear(SOURCE, LINE * 100, 100, 1000.0)
    floods.hear(SOURCE, LINE, 1, 1000.0 + SPAN_SECONDS)
    assert floods.told(SOURCE).startswith("100 lines")
    assert floods.told("journal") == ""


def test_the_sources_are_bounded() -> None:
    floods = Floods()
    for number in range(SOURCES_MAX + 1):
        floods.hear(f"file:/{number}", LINE, 1, 0.0)
    assert floods.told(f"file:/{SOURCES_MAX}") == ""
