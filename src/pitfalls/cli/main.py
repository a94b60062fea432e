"""The command `pitfalls`: all its subcommands, and errors as exit statuses."""

import logging
import sys
from collections.abc import Sequence
from importlib import metadata
from typing import Annotated, NoReturn

import typer

from pitfalls.cli import data, graph, models, rules, stack, train
from pitfalls.cli.build import build
from pitfalls.cli.edit import edit
from pitfalls.cli.editors import editors
from pitfalls.cli.groups import Commands
from pitfalls.cli.locate import locate
from pitfalls.cli.moments import moments
from pitfalls.cli.moved import new_spelling
from pitfalls.cli.report import report
from pitfalls.cli.run import run
from pitfalls.cli.score import score
from pitfalls.cli.stopping import listening, what_is_kept
from pitfalls.door.text import LONG_PATH, shortened
from pitfalls.errors import PitfallsError

WRONG_INPUT = 2

HELP = """Measure what knowledge edits break: conflict and distortion in language models.

Example: pitfalls run --editor rome --data round/easy --cases 8 --out runs/easy
"""

app = Commands(
    name="pitfalls",
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _tell_version(wanted: bool) -> bool:
    if wanted:
        print(f"pitfalls {metadata.version('pitfalls')}")
        raise typer.Exit
    return wanted


@app.callback(help=HELP)
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_tell_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Take the options that need no command."""
    del version  # its callback has answered


app.command()(run)
app.command()(score)
app.command()(report)
app.command()(build)
app.command()(editors)
app.command()(locate)
app.command()(edit)
app.add_typer(stack.app, name="stack")
app.command()(moments)
app.add_typer(models.app, name="models")
app.add_typer(data.app, name="data")
app.add_typer(graph.app, name="graph")
app.add_typer(rules.app, name="rules")
app.add_typer(train.app, name="train")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a user's mistake is one line on standard error and status 2.

    Ctrl-C ends it with status 130 and SIGTERM with 143, and a line about what is kept.
    """
    # On import it would tell of a faster kernel that could be had.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    words = sys.argv[1:] if arguments is None else arguments
    with listening() as ear:
        try:
            status = app(words, standalone_mode=False)
        except BaseException as error:
            if ear.signal is not None:  # whatever libraries made of it on its way here
                _end(what_is_kept(words), ear.status)
            if isinstance(error, typer.TyperException):
                _end(new_spelling(words) or error.format_message(), WRONG_INPUT)
            if isinstance(error, PitfallsError):
                _end(str(error), WRONG_INPUT)
            raise
    sys.exit(status if isinstance(status, int) else 0)


def _end(told: str, status: int) -> NoReturn:
    if told:  # a group without a command has printed its help, which is all there is to say
        print(f"pitfalls: {_in_one_line(told)}", file=sys.stderr)
    sys.exit(status)


def _in_one_line(told: str) -> str:
    """The message without line breaks, with endless words cut."""
    return " ".join(shortened(word, LONG_PATH) for word in told.split())
