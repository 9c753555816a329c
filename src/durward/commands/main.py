"""The command line: one verb per file of this folder, loaded only when it is called."""

import importlib
import sys
from pathlib import Path

import click

from durward import __version__
from durward.commands.verb import home_option

HIDDEN = frozenset(
    {
        "main",
        "verb",
        "terminal",
        "listing",
        "reading",
        "gate",
        "asking",
        "asserting",
        "counted",
        "refusing",
        "unapplied",
        "listed",
        "discovery",
        "advising",
        "precedence",
        "sparing",
        "incomplete",
    }
)


class Verbs(click.Group):
    """Finds verbs by their files, so that one verb's start does not pay for all of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 — click's signature
        """The names of all verbs."""
        files = Path(__file__).parent.glob("[a-z]*.py")
        return sorted(file.stem.removesuffix("_").replace("_", "-") for file in files if file.stem not in HIDDEN)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb of that name; None where there is none."""
        if cmd_name not in self.list_commands(ctx):
            return None
        stem = cmd_name.replace("-", "_")
        if not (Path(__file__).parent / f"{stem}.py").exists():
            stem += "_"  # verbs whose name is a keyword or a builtin of Python
        command: click.Command = importlib.import_module(f"durward.commands.{stem}").command
        return command


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="durward")
@home_option
def durward() -> None:
    r"""Keep the door of this server: stop who misbehaves, say why, and take it back with one command.

    \b
    durward status            is it protecting?
    durward why ADDRESS       is he blocked, and why?
    durward unblock ADDRESS   let him in again
    """


def main() -> None:
    """Run the command line. A reader that stops reading (`durward log | head`) is no error."""
    try:
        durward(prog_name="durward")
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
