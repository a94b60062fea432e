"""The command `pitfalls`: every subcommand, and the one place that turns errors into exit codes."""

import logging
import sys
from collections.abc import Sequence
from importlib import metadata
from typing import Annotated

import typer

from pitfalls.cli import data, graph, models, rules, train
from pitfalls.cli.build import build
from pitfalls.cli.edit import edit
from pitfalls.cli.locate import locate
from pitfalls.cli.moments import moments
from pitfalls.cli.report import report
from pitfalls.cli.run import run
from pitfalls.cli.score import score
from pitfalls.errors import PitfallsError

WRONG_INPUT = 2

HELP = """What a knowledge edit breaks: conflict and distortion in edited language models.

Example: pitfalls run --editor rome --data round/easy --cases 8 --out runs/easy
"""

app = typer.Typer(
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
            "--version", callback=_tell_version, is_eager=True, help="Print the version and end."
        ),
    ] = False,
) -> None:
    """Take the options that need no command."""
    del version  # its callback has answered


app.command()(run)
app.command()(score)
app.command()(report)
app.command()(build)
app.command()(locate)
app.command()(edit)
app.command()(moments)
app.add_typer(models.app, name="models")
app.add_typer(data.app, name="data")
app.add_typer(graph.app, name="graph")
app.add_typer(rules.app, name="rules")
app.add_typer(train.app, name="train")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a user's mistake is one line on standard error and status 2."""
    # On import it would tell of a faster kernel that could be had.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    try:
        status = app(arguments, standalone_mode=False)
    except (PitfallsError, typer.TyperException) as error:
        told = error.format_message() if isinstance(error, typer.TyperException) else str(error)
        print(f"pitfalls: {' '.join(told.split())}", file=sys.stderr)
        sys.exit(WRONG_INPUT)
    except (KeyboardInterrupt, typer.Abort):
        print("pitfalls: stopped; the same command goes on from what is written", file=sys.stderr)
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)
