"""What all verbs share: --home and --json, the exit statuses, and how the engine is asked."""

import functools
import os
import sys
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import Any, NoReturn

import click

from durward.catalog.document import ProblemsError
from durward.commands.terminal import inert
from durward.config.home import Home
from durward.control.requests import NoAnswerError, ask, ask_one
from durward.model import InvalidAddressError, InvalidDurationError, Scope, Subject, parse_duration
from durward.model.decision import Port


class Exit(IntEnum):
    """What a verb's exit status says."""

    DONE = 0
    NO = 1
    WRONG = 2
    REFUSED = 3
    NO_ANSWER = 4


home_option = click.option(
    "--home",
    metavar="DIR",
    expose_value=False,
    is_eager=True,
    callback=lambda context, _option, value: value and context.find_root().meta.update(home=value),
    help="Keep settings, state and sockets below DIR instead of the system's places (or DURWARD_HOME).",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Answer with JSON on standard output, nothing else.")


def verb(name: str) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a function a verb: with --home and --json, and with the world's errors turned into exit statuses."""

    def make(function: Callable[..., Any]) -> click.Command:
        @functools.wraps(function)
        def run(*arguments: Any, **options: Any) -> Any:
            try:
                return function(*arguments, **options)
            except ProblemsError as error:
                fail(Exit.WRONG, str(error))
            except (InvalidAddressError, InvalidDurationError) as error:
                fail(Exit.WRONG, str(error))
            except NoAnswerError as error:
                fail(Exit.NO_ANSWER, f"{error}. Is durward running? `durward run` starts it.")

        command = click.command(name)(json_option(home_option(run)))
        command.params = [*command.params[2:], *command.params[:2]]  # what a verb alone has comes first in its help
        return command

    return make


def here() -> Home:
    """The home that the command line or the environment named."""
    return Home.find(click.get_current_context().find_root().meta.get("home"), os.environ)


def fail(status: Exit, message: str) -> NoReturn:
    """Say what is wrong on standard error and end with `status`."""
    lines = "\n".join(inert(line) for line in message.split("\n"))
    click.echo(f"durward: {lines}", err=True)
    sys.exit(status)


def ask_engine(verb_name: str, **fields: Any) -> dict[str, Any]:
    """Ask the engine; an answer that is an error ends the verb with its status."""
    reply = ask_one(here().engine_socket, verb_name, **fields)
    if "error" in reply:
        fail(Exit(reply.get("status", Exit.NO)), str(reply["error"]))
    return reply


def ask_engine_all(verb_name: str, **fields: Any) -> Iterator[dict[str, Any]]:
    """Ask the engine something that may have many answers, or none; an error ends the verb with its status."""
    for reply in ask(here().engine_socket, verb_name, **fields):
        if "error" in reply:
            fail(Exit(reply.get("status", Exit.NO)), str(reply["error"]))
        yield reply


def subject_of(text: str) -> str:
    """The canonical text of an address or network. Raises InvalidAddressError."""
    return Subject.parse(text).value


def scope_of(ports: str, *, out: bool) -> str:
    """The text of a scope from --port and --out; a wrong port ends the verb."""
    try:
        parsed = tuple(Port.parse(port) for port in ports.split(",")) if ports else ()
        return str(Scope(parsed, "out" if out else "in"))
    except ValueError as error:
        fail(Exit.WRONG, f"--port: {error}")


def seconds_of(text: str | None) -> float | None:
    """The seconds of a duration; None for none given or `forever`. Raises InvalidDurationError."""
    if text is None or text == "forever":
        return None
    return parse_duration(text)
