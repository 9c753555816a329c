"""durward check: are the settings, lists and cards right?"""

from dataclasses import asdict

import click

from durward.catalog.document import ProblemsError
from durward.commands.terminal import emit, inert, quantity
from durward.commands.verb import Exit, here, verb


@verb("check")
def command(*, as_json: bool) -> None:
    """Check the settings, lists and cards. Mistakes are named with file, line, key and the nearest right thing."""
    from durward.config.assertions import FILE_NAME, read_assertions
    from durward.config.loading import load, load_lists

    problems = [*load_lists(here()).problems, *read_assertions(here().etc / FILE_NAME).problems]
    try:
        loaded = load(here())
    except ProblemsError as error:
        problems = [*error.problems, *problems]
    if as_json:
        emit({"right": not problems, "problems": [asdict(problem) for problem in problems]})
    else:
        for problem in problems:
            click.echo(inert(str(problem)))
    if problems:
        click.get_current_context().exit(Exit.WRONG)
    if not as_json:
        cards = quantity(len(loaded.services), "service")
        click.echo(f"The settings in {here().etc} are right ({cards}, {quantity(len(loaded.detectors), 'detector')}).")
