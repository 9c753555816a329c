"""What an option of fail2ban means: `%(name)s` and `<name>` stand for other options, and are put in their places."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from durward.fail2ban.failure import Fail2banError
from durward.fail2ban.files import DEFAULT, Option, Sections

DEPTH_MAX = 20  # options that stand for each other; deeper ones are refused
VALUE_CHARACTERS_MAX = 65536  # of a value with all that it stands for; a longer one is refused
REFERENCE = re.compile(r"%(?:%|\(([^)]+)\)s)")
TAG = re.compile(r"<([A-Za-z_][A-Za-z0-9_./-]*)>")
INIT = "Init"


class Reference(NamedTuple):
    """An option by its place: of all that was written for it, the newest but so many."""

    section: str
    name: str
    back: int = 0


class Values:
    """The options of some files, each with what stands in it. `own` beats what is written; `kept` stay as they are."""

    def __init__(
        self, sections: Sections, own: Mapping[str, str] | None = None, kept: frozenset[str] = frozenset()
    ) -> None:
        self._sections = sections
        self._own = dict(own or {})
        self._kept = kept

    def option(self, section: str, name: str) -> Option | None:
        """An option as it is written in a section, or for all of them."""
        found = self._sections.history(section, name) or self._sections.history(DEFAULT, name)
        return found[-1] if found else None

    def text(self, section: str, name: str) -> str:
        """What an option means; empty where nobody wrote it. Raises Fail2banError."""
        if name in self._own:
            return self._tagged(self._own[name], section, 0)
        option = self.option(section, name)
        if option is None:
            return ""
        try:
            return self._tagged(self._whole(Reference(section, name), 0) or "", section, 0)
        except Fail2banError as error:
            raise Fail2banError(f"{option.place}: {name}: {error}") from None

    def earlier(self, section: str, name: str) -> list[str]:
        """What the option meant before the last file overrode it, oldest first. Raises Fail2banError."""
        count = len(self._sections.history(section, name))
        texts = [self._whole(Reference(section, name, back), 0) or "" for back in range(count - 1, 0, -1)]
        return [self._tagged(text, section, 0) for text in texts]

    def _whole(self, reference: Reference, depth: int) -> str | None:
        """The value of an option with all that stands in it for others; None where nobody wrote it."""
        section, name, back = reference
        if name in self._kept:
            return f"<{name}>"
        history = self._sections.history(section, name) or self._sections.history(DEFAULT, name)
        if len(history) <= back:
            return None
        if depth > DEPTH_MAX:
            raise Fail2banError(f"%({name})s stands for itself")
        found = REFERENCE.sub(
            lambda match: "%" if match[1] is None else self._referred(match[1], reference, depth + 1),
            history[-1 - back].text,
        )
        if len(found) > VALUE_CHARACTERS_MAX:
            raise Fail2banError(f"%({name})s becomes longer than {VALUE_CHARACTERS_MAX} characters")
        return found

    def _referred(self, text: str, at: Reference, depth: int) -> str:
        """What `%(text)s` stands for in the option `at`."""
        place, slash, name = text.lower().rpartition("/")
        section = text[: len(place)] if slash else at.section
        if name == "__name__":
            return at.section
        if place == "known":
            same = name == at.name
            found = self._whole(Reference(at.section, name, at.back + 1 if same else 1), depth)
            found = found if found is not None or same else self._whole(Reference(at.section, name), depth)
        else:
            found = self._whole(Reference(DEFAULT if place == "default" else section, name), depth)
            found = self._whole(Reference(INIT, name), depth) if found is None and not slash else found
        if found is None and place != "known":
            raise Fail2banError(f"%({text})s stands for nothing")
        return found or ""

    def _tagged(self, text: str, section: str, depth: int) -> str:
        """The text with each `<name>` that is an option in its place; the innermost first, others stay."""
        for _ in range(DEPTH_MAX):
            replaced = TAG.sub(lambda match: self._tag(match, section, depth), text)
            if replaced == text:
                return text
            if len(replaced) > VALUE_CHARACTERS_MAX:
                break
            text = replaced
        raise Fail2banError("a <name> in it stands for itself")

    def _tag(self, match: re.Match[str], section: str, depth: int) -> str:
        place, slash, name = match[1].rpartition("/")
        name = name.lower()
        if match[1].lower() in self._kept:
            return match[0]
        if not slash and name in self._own:
            return self._own[name]
        if place == "known":
            return self._whole(Reference(section, name, 1), depth) or self._whole(Reference(INIT, name, 0), depth) or ""
        for inside in (place,) if slash else (section, INIT):
            found = self._whole(Reference(inside, name), depth)
            if found is not None:
                return found
        return match[0]
