"""durward check: are the settings, lists and cards right, and does a firewall come of them that the kernel takes?"""

import os
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import click

from durward.catalog.document import Problem, ProblemsError
from durward.commands.terminal import emit, inert, quantity
from durward.commands.verb import Exit, here, verb
from durward.config.home import Home

if TYPE_CHECKING:
    from durward.config.loading import Lists, Loaded


@dataclass(slots=True)
class Checked:
    """What was found, what could not be looked at, and which channels of alerts cannot work yet."""

    problems: list[Problem] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    incomplete: list[str] = field(default_factory=list)


@verb("check")
def command(*, as_json: bool) -> None:
    """Check the settings, lists and cards. Mistakes are named with file, line, key and the nearest right thing.

    The firewall that comes of them is compiled with what this host is now: its interfaces, users and ports. For root,
    the kernel is asked as well whether it takes the rules, in a network namespace that is thrown away.
    """
    from durward.commands.unapplied import unapplied

    checked, lists, loaded = examined(here())
    if as_json:
        emit(
            {
                "right": not checked.problems,
                "problems": [asdict(problem) for problem in checked.problems],
                "unchecked": checked.unchecked,
                "incomplete": checked.incomplete,
            }
        )
    else:
        for problem in checked.problems:
            click.echo(inert(str(problem)))
    if loaded is None or checked.problems:
        click.get_current_context().exit(Exit.WRONG)
    if not as_json:
        click.echo(page(loaded, checked))
        for waiting in unapplied(here(), loaded.settings, lists):
            click.echo(f"  Not yet in force: {inert(str(waiting))}")


def examined(home: Home) -> tuple[Checked, "Lists", "Loaded | None"]:
    """Everything that the settings, lists and cards of `home` have wrong; and the lists and settings themselves."""
    from durward.commands.incomplete import incomplete, unproven
    from durward.config import knock_keys
    from durward.config.assertions import FILE_NAME, read_assertions
    from durward.config.loading import load, load_lists

    lists = load_lists(home)
    keys = knock_keys.read_knock_keys(home.etc / knock_keys.FILE_NAME)
    checked = Checked([*lists.problems, *read_assertions(home.etc / FILE_NAME).problems, *keys.problems])
    loaded: Loaded | None = None
    try:
        loaded = load(home)
    except ProblemsError as error:
        checked.problems[:0] = error.problems
    else:
        checked.problems += _own_stories(home, loaded)
        checked.incomplete += [*incomplete(loaded.settings.alerts, home.etc), *unproven(loaded)]
        checked.problems += _site_patterns(loaded)
        _find_places(loaded, home, checked)
        _compile(loaded, lists, checked)
    return checked, lists, loaded


def _site_patterns(loaded: "Loaded") -> list[Problem]:
    from durward.scan.ignoring import ignoring

    try:
        ignoring(loaded.settings.sources.unexplained_ignored, loaded.services)
    except ProblemsError as error:
        return [Problem("durward.toml", one.line, "sources.unexplained_ignored", one.message) for one in error.problems]
    return []


def _own_stories(home: Home, loaded: "Loaded") -> list[Problem]:
    """The stories of the site's own detectors that come out otherwise than they say."""
    from durward.engine.rehearsing import rehearsed

    problems = []
    for card in loaded.detectors:
        path = home.etc / "detectors" / f"{card.id}.toml"
        for story in card.stories if path.is_file() else ():
            told, _ = rehearsed(card, story, loaded.services)
            if told != list(story.gives):
                given = ", ".join(str(one) for one in told) or "nothing"
                problems.append(Problem(str(path), 1, "story", f"{story.title!r} gives {given}"))
    return problems


def page(loaded: "Loaded", checked: Checked) -> str:
    """What is said where nothing is wrong."""
    cards = quantity(len(loaded.services), "service")
    lines = [f"The settings in {here().etc} are right ({cards}, {quantity(len(loaded.detectors), 'detector')})."]
    lines += [f"  Incomplete: {inert(line)}" for line in checked.incomplete]
    return "\n".join([*lines, *(f"  Not checked: {inert(line)}" for line in checked.unchecked)])


def _find_places(loaded: "Loaded", home: Home, checked: Checked) -> None:
    """Note the countries that are to be exempt and of which nobody knows the networks."""
    from durward.config.places import KEY, absent

    origin = loaded.settings.origin(KEY)
    try:
        missing = absent(home.lists, loaded.exempting.places)
    except PermissionError as error:
        checked.unchecked.append(f"whether the networks of {KEY} are there: {error}")
    else:
        file, line = (origin.file, origin.line) if origin else ("durward.toml", 1)
        checked.problems += [Problem(file, line, KEY, one) for one in missing]


def _compile(loaded: "Loaded", lists: "Lists", checked: Checked) -> None:
    """Compile the firewall, and have the kernel try it."""
    from durward.commands.asking import rules_for
    from durward.facts.failure import FactsError
    from durward.facts.firewall import policy_of
    from durward.facts.trying import complaint_about
    from durward.ruleset.matching import InvalidPolicyError

    settings = loaded.settings
    if not settings.firewall.enabled:
        return
    try:
        rules = rules_for(policy_of(settings, lists, etc=here().etc, library=here().lists), settings, ())
        if os.geteuid() != 0:
            checked.unchecked.append("whether the kernel takes the rules (only root can ask it: sudo durward check)")
        elif complaint := complaint_about(rules):
            checked.problems.append(Problem("the firewall", 1, "", f"the kernel does not take its rules: {complaint}"))
    except ProblemsError as error:
        checked.problems += [one for one in error.problems if one not in checked.problems]
    except InvalidPolicyError as error:
        checked.problems.append(Problem("the firewall", 1, "", str(error)))
    except FactsError as error:
        checked.unchecked.append(f"the firewall, because the host does not tell all that it needs: {error}")
