"""`[counting]` of a detector's card: what is counted, by whom, and how the reason says it. Data; no code is needed."""

import re
from dataclasses import dataclass
from typing import Literal, get_args

from durward.catalog.card import CardReader

Key = Literal["source", "network", "account", "source+account", "about", "source+about"]
Distinct = Literal["", "source", "account", "about", "service"]
Unit = Literal["hits", "events"]

KEYS: tuple[Key, ...] = get_args(Key)
DISTINCTS: tuple[Distinct, ...] = get_args(Distinct)
UNITS: tuple[Unit, ...] = get_args(Unit)
SAID = ("count", "distinct", "service", "source", "account", "about", "span", "threshold")
SAYS = "{count} hits in {span}"
FIELD = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Counting:
    """Counts per `key`, each service `apart` or all together; with `distinct` also different values of that.

    `unit`: a line counts as often as its card says, or once. `says` is the reason, with {count} and the like in it.
    With `only_about` nothing counts that is about something else.
    """

    key: Key = "source"
    distinct: Distinct = ""
    apart: bool = True
    unit: Unit = "hits"
    only_about: frozenset[str] = frozenset()
    says: str = SAYS


def read_counting(reader: CardReader) -> Counting:
    """Read `[counting]`; what is wrong with it becomes problems of its card."""
    reader.only("key", "distinct", "apart", "unit", "only_about", "says")
    key, distinct, unit = reader.text("key", "source"), reader.text("distinct", ""), reader.text("unit", "hits")
    for name, value, known in (("key", key, KEYS), ("distinct", distinct, DISTINCTS), ("unit", unit, UNITS)):
        if value not in known:
            reader.unknown_value(name, value, known)
    says = reader.text("says", SAYS)
    for field in FIELD.findall(says):
        if field not in SAID:
            reader.problem(
                "says", f"{{{field}}} is unknown; {', '.join(f'{{{one}}}' for one in SAID)} were expected", SAID
            )
    apart = reader.table.get("apart", True)
    if not isinstance(apart, bool):
        reader.problem("apart", "true or false was expected")
    return Counting(
        key=next((one for one in KEYS if one == key), "source"),
        distinct=next((one for one in DISTINCTS if one == distinct), ""),
        apart=apart is not False,
        unit=next((one for one in UNITS if one == unit), "hits"),
        only_about=frozenset(reader.texts("only_about")),
        says=says,
    )


def said(text: str, values: dict[str, str]) -> str:
    """The reason: `text` with its {fields} filled in. Nothing in a value is read as a field."""
    return FIELD.sub(lambda field: values.get(field[1], field[0]), text)
