"""The library: what each merged list of the firewalls has in the kernel, read, filled and changed in steps."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property

from durward.privileged.failure import KernelError, PrivilegedError
from durward.privileged.leading import SET_NAME, leads
from durward.privileged.lists import ListFiles, Signature
from durward.privileged.merged import MergedSets, Refused, reading
from durward.privileged.names import present
from durward.ruleset.merged import Filling, MergedList, chain_of, contents, lists_in
from durward.ruleset.policy import DENY_LIST
from durward.ruleset.prefixes import Prefixes
from durward.ruleset.switch import Firewall, Present

Key = tuple[str, tuple[str, ...]]  # the name and the files of a list: two firewalls that agree on them share its sets


class EmptyListError(PrivilegedError):
    """A file that was asked for holds no network."""


@dataclass(slots=True)
class Held:
    """What a list has in the kernel. What is in the sets of an earlier process is not known: `prefixes` is None."""

    filling: Filling
    prefixes: Prefixes | None = None
    signature: Signature = ()
    refused: Refused = field(default_factory=Refused)


class Library:
    """Each `Iterator[None]` is work in steps of a few milliseconds. Everything raises PrivilegedError."""

    def __init__(self, files: ListFiles, sets: Callable[[], MergedSets], run: Callable[[str], None]) -> None:
        """`sets` is called once, when there are lists; `run` has nft load a text in one transaction."""
        self._files = files
        self._make_sets = sets
        self._run = run
        self._held: dict[Key, Held] = {}
        self._number = 0

    @cached_property
    def _sets(self) -> MergedSets:
        return self._make_sets()

    def close(self) -> None:
        """Give the socket back, if there ever was one."""
        if "_sets" in self.__dict__:
            self._sets.close()

    @property
    def is_empty(self) -> bool:
        """Whether there was never anything in it."""
        return not self._number and not self._held

    def adopt(self, firewalls: Iterable[Firewall]) -> None:
        """After a start: go on with the sets that the kernel's chains lead to already."""
        found = leads()
        for firewall in firewalls:
            for merged in lists_of(firewall):
                if filling := found.get(chain_of(merged, firewall.generation)):
                    self._held.setdefault(_key(merged), Held(filling))
        self._number = max([0, *(int(name[2]) for name in map(SET_NAME.fullmatch, present().sets) if name)])

    def doubt(self) -> None:
        """Somebody else may have changed the sets: each is to be filled anew."""
        for held in self._held.values():
            held.prefixes = None

    def contents(self, firewall: Firewall, found: Present) -> str:
        """Commands that lead the chains of a firewall to the sets that are there; to come with its text."""
        return "".join(
            contents(merged, held.filling, [firewall.generation])
            for merged in lists_of(firewall)
            if (held := self._held.get(_key(merged))) is not None
            and found.sets.issuperset(held.filling.set_names(merged.name))
        )

    def loading(self, merged: MergedList, firewalls: Callable[[], Sequence[Firewall]]) -> Iterator[None]:
        """Have the kernel hold what the files of a list hold now. On an error all stays as it was."""
        signature, held = self._files.signature(merged.files), self._held.get(_key(merged))
        if held is not None and held.prefixes is not None and held.signature == signature:
            return
        prefixes, refused = Prefixes(), Refused()
        for _ in reading(self._files.texts(merged.files), prefixes, refused):
            yield
        if DENY_LIST in merged.files:  # which files it includes is known only now
            signature = signature[:1] + self._files.signature(merged.files)[1:]
        if not len(prefixes) and merged.files and not any("*" in name for name in merged.files):
            raise EmptyListError(f"{', '.join(merged.files)}: no network is in there")
        if held is not None and held.prefixes is not None and (yield from self._changing(merged, held, prefixes)):
            held.prefixes, held.signature, held.refused = prefixes, signature, refused
            return
        self._number += 1
        newer = Held(prefixes.filling(self._number), prefixes, signature, refused)
        for _ in self._sets.fill(merged.name, newer.filling, prefixes):
            yield
        ways = [contents(merged, newer.filling, [one.generation]) for one in firewalls() if _uses(one, merged)]
        if ways:
            self._run("".join(ways))
        self._held[_key(merged)] = newer
        yield

    def sweeping(self, firewalls: Sequence[Firewall]) -> Iterator[None]:
        """Take the sets away that no chain leads to: of lists that are gone, and of work that was never finished."""
        used = {_key(merged) for firewall in firewalls for merged in lists_of(firewall)}
        self._held = {key: held for key, held in self._held.items() if key in used}
        kept = {name for (list_name, _), held in self._held.items() for name in held.filling.set_names(list_name)}
        for name in sorted(present().sets):
            if SET_NAME.fullmatch(name) and name not in kept:
                with suppress(KernelError):  # a chain that we do not know of leads there: it is looked at the next time
                    self._sets.remove_set(name)
                yield

    def told(self) -> list[dict[str, object]]:
        """What is in the kernel, for people: each list with its networks and what was refused of its files."""
        return [
            {
                "name": name,
                "files": list(files)[:10],
                "networks": len(held.prefixes) if held.prefixes is not None else None,
                "refused": sum(held.refused.counts.values()),
                "samples": held.refused.samples,
            }
            for (name, files), held in self._held.items()
        ]

    def _changing(self, merged: MergedList, held: Held, prefixes: Prefixes) -> Generator[None, None, bool]:
        """Try to change the sets in place; gives whether that was done."""
        if held.prefixes is None:
            return False
        try:
            return (yield from self._sets.changing(merged.name, held.filling, held.prefixes, prefixes)) is not None
        except KernelError:
            held.prefixes = None  # it has not what we thought
            return False


def lists_of(firewall: Firewall) -> tuple[MergedList, ...]:
    """The lists of a firewall; none of one whose text is damaged, which must not keep the rest from being there."""
    try:
        return lists_in(firewall.text)
    except (ValueError, TypeError):
        return ()


def _key(merged: MergedList) -> Key:
    return merged.name, merged.files


def _uses(firewall: Firewall, merged: MergedList) -> bool:
    return any(_key(one) == _key(merged) for one in lists_of(firewall))
