"""`pitfalls stack`: list, show, undo and export the edits that are kept."""

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer
from rich.console import Console

from pitfalls.cli.effect import draw
from pitfalls.cli.effect_json import effect_json
from pitfalls.cli.groups import Commands
from pitfalls.cli.named import NamedModel
from pitfalls.cli.options import AsJson, Device, DtypeOfStack, ModelOfStack
from pitfalls.cli.progress import progress_on
from pitfalls.cli.reading_options import (
    LIMITS,
    TEXT,
    TEXT_TOKENS,
    MaxNeighbours,
    MaxRelations,
    MaxRepeated,
    MinKept,
    Reading,
    Text,
    TextTokens,
)
from pitfalls.cli.stack_view import list_lines, print_json, show_json, show_lines, stack_json
from pitfalls.cli.status import end_with
from pitfalls.disk import check_writable, refuse_taken
from pitfalls.errors import PitfallsError

if TYPE_CHECKING:  # torch, which a user who asks for help should not wait for
    from pitfalls.updates.stack import Stack

HELP = """Look after edits that `pitfalls edit` has kept: list, show, undo, merge, adapter.

Example: pitfalls stack list louvre
"""

app = Commands(help=HELP, no_args_is_help=True)

Folder: TypeAlias = Annotated[
    Path, typer.Argument(metavar="DIR", help="The stack, the --out of `pitfalls edit`.")
]
Number: TypeAlias = Annotated[int, typer.Argument(metavar="K", help="Number of the edit.")]
NumberOrNone: TypeAlias = Annotated[
    int | None, typer.Argument(metavar="K", help="Number of an edit; left out: all edits.")
]
Effects: TypeAlias = Annotated[
    bool,
    typer.Option("--effects", help="Load the model and read what all edits of the stack change."),
]
Destination: TypeAlias = Annotated[Path, typer.Option(metavar="FOLDER", help="The folder to make.")]
Rank: TypeAlias = Annotated[
    int | None,
    typer.Option(min=1, help="Rank of the approximation of dense changes, such as those of FT."),
]


@app.command("list")
def show_list(folder: Folder, *, as_json: AsJson = False) -> None:
    """List the edits of a stack, one a line, the newest last.

    Example: pitfalls stack list louvre
    """
    from pitfalls.updates.stack import Stack  # torch, which --help does not need

    stack = Stack.read(folder)
    _tell(stack, [] if as_json else list(list_lines(stack)), as_json)


@app.command()
def show(
    folder: Folder,
    edit: NumberOrNone = None,
    *,
    effects: Effects = False,
    model: ModelOfStack = None,
    dtype: DtypeOfStack = None,
    device: Device = "auto",
    text: Text = TEXT,
    text_tokens: TextTokens = TEXT_TOKENS,
    min_kept: MinKept = LIMITS.kept,
    max_neighbours: MaxNeighbours = LIMITS.neighbours,
    max_relations: MaxRelations = LIMITS.relations,
    max_repeated: MaxRepeated = LIMITS.repeated,
    as_json: AsJson = False,
) -> None:
    """Show one edit or all: its requests, its fit, and the norms of its changes.

    With --effects, load the model and read again what all edits together change, as `pitfalls edit`
    does; status 3 and 4 mean the same as there.

    Example: pitfalls stack show louvre 1
    """
    named = NamedModel(model, dtype, device)
    reading = Reading(text, text_tokens, min_kept, max_neighbours, max_relations, max_repeated)
    if not effects:
        _refuse_idle(named, reading)
        _show_fits(folder, edit, as_json)
    elif edit is None:
        _show_effects(folder, named, reading, as_json)
    else:
        raise PitfallsError("--effects is about the whole stack: leave the edit's number out")


@app.command()
def undo(folder: Folder, edit: Number, *, as_json: AsJson = False) -> None:
    """Take an edit off the stack; the others keep every bit and their numbers.

    Example: pitfalls stack undo louvre 1
    """
    from pitfalls.updates.stack import Stack  # torch, which --help does not need

    rest = Stack.read(folder).without(edit)
    look = f"pitfalls stack show {shlex.quote(str(folder))} --effects"
    _tell(rest, [f"Edit {edit} is off {folder}; see what is left: {look}"], as_json)


@app.command()
def merge(
    folder: Folder,
    out: Destination,
    *,
    model: ModelOfStack = None,
    dtype: DtypeOfStack = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Write a checkpoint with all edits of the stack in its weights, tokenizer included.

    Example: pitfalls stack merge louvre --out louvre-merged
    """
    _refuse_taken(out)
    from pitfalls.updates.export import refuse_packed, save_merged  # torch, once they are free
    from pitfalls.updates.stack import Stack

    stack = Stack.read(folder)
    loaded = NamedModel(model, dtype, device).load(stack, progress_on())
    refuse_packed(loaded)
    save_merged(loaded, stack.total_for(loaded), out)
    _tell(stack, [f"Checkpoint: {out}"], as_json)


@app.command()
def adapter(
    folder: Folder,
    out: Destination,
    *,
    rank: Rank = None,
    model: ModelOfStack = None,
    dtype: DtypeOfStack = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Write all edits of the stack as a PEFT adapter, to be loaded beside the unedited model.

    A change of rank r is a LoRA of rank r, exactly. Dense changes need --rank; the error of
    the approximation is printed.

    Example: pitfalls stack adapter louvre --out louvre-lora
    """
    _refuse_taken(out)
    from pitfalls.updates.lora import Adapter, check_peft  # torch, once the folders are free
    from pitfalls.updates.stack import Stack

    check_peft()
    stack = Stack.read(folder)
    loaded = NamedModel(model, dtype, device).load(stack, progress_on())
    found = Adapter.of(stack.total_for(loaded), rank=rank)
    found.save(loaded, out)
    ranks = ", ".join(map(str, sorted(set(found.ranks.values()))))
    lost = f", relative error {found.error:.2g}" if rank else ""
    _tell(stack, [f"Adapter: {out}, rank {ranks}{lost}"], as_json)


def _refuse_taken(out: Path) -> None:
    refuse_taken(out)
    check_writable(out)


def _tell(stack: "Stack", written: list[str], as_json: bool) -> None:
    if as_json:
        print_json(stack_json(stack, written))
    else:
        print(*written, sep="\n")


def _show_fits(folder: Path, number: int | None, as_json: bool) -> None:
    from pitfalls.updates.stack import Stack  # torch, which --help does not need

    stack = Stack.read(folder)
    numbers = [entry.number for entry in stack.entries] if number is None else [number]
    updates = {each: stack.update(each) for each in numbers}
    total = stack.total() if number is None else None
    if as_json:
        print_json(show_json(stack, updates, total))
    else:
        print(*show_lines(stack, updates, total), sep="\n")


def _show_effects(folder: Path, model: NamedModel, reading: Reading, as_json: bool) -> None:
    from pitfalls.effects.keeping import effect_of_stack  # torch, which --help does not need
    from pitfalls.updates.stack import Stack

    progress = progress_on()
    stack = Stack.read(folder)
    scope = reading.scope(progress)
    effect = effect_of_stack(stack, model.load(stack, progress), scope, progress=progress)
    if as_json:
        print_json(effect_json(effect) | stack_json(stack))
    else:
        draw(effect, Console(highlight=False))
    end_with(effect)


def _refuse_idle(named: NamedModel, reading: Reading) -> None:
    """Refuse an option that would change nothing, which nobody would notice."""
    given = asdict(named) | asdict(reading)
    for name, default in (asdict(NamedModel()) | asdict(Reading())).items():
        if given[name] != default:
            option = f"--{name.replace('_', '-')}"
            raise PitfallsError(f"{option} is about reading effects: give --effects too")
