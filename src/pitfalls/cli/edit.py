"""`pitfalls edit`: make edits, show what they change, and keep them on a stack."""

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer
from rich.console import Console

from pitfalls.cli.asked import Words
from pitfalls.cli.effect import draw
from pitfalls.cli.effect_json import effect_json
from pitfalls.cli.named import NamedModel
from pitfalls.cli.options import AsJson, Device, DtypeOfStack, ModelOfStack, Seed, Settings
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
from pitfalls.cli.settings import parse_settings, refuse_idle
from pitfalls.cli.stack_view import print_json, stack_json
from pitfalls.cli.status import end_with
from pitfalls.effects.contradictions import overwritten
from pitfalls.errors import UnknownNameError
from pitfalls.progress import Progress
from pitfalls.updates.request import Request

if TYPE_CHECKING:  # torch, which a user who asks for help should not wait for
    from pitfalls.effects.keeping import Kept

Out: TypeAlias = Annotated[Path, typer.Option(metavar="DIR", help="The stack of edits to add to.")]
Prompt: TypeAlias = Annotated[
    str | None, typer.Option(help="Prompt, with {} in place of the subject.")
]
Subject: TypeAlias = Annotated[str | None, typer.Option(help="Subject of the edit.")]
Target: TypeAlias = Annotated[
    str | None, typer.Option(help="Text that the model is to say after the prompt.")
]
Paraphrases: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(help="Another wording of the prompt, to read the edit with; repeat."),
]
TrueObjects: TypeAlias = Annotated[
    list[str] | None, typer.Option(help="Another true object, which should stay; repeat.")
]
Edits: TypeAlias = Annotated[
    Path | None, typer.Option(metavar="FILE", help="JSON lines, one edit a line, made in turn.")
]
Together: TypeAlias = Annotated[
    bool, typer.Option("--together", help="Make the edits of FILE in one job, as one edit.")
]
Editor: TypeAlias = Annotated[str, typer.Option(help="A name that `pitfalls editors` lists.")]
RequireSuccess: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--require-success", help="Write nothing unless all edits take and all checks pass."
    ),
]


def edit(
    out: Out,
    *,
    prompt: Prompt = None,
    subject: Subject = None,
    target: Target = None,
    paraphrase: Paraphrases = None,
    true_object: TrueObjects = None,
    edits: Edits = None,
    together: Together = False,
    editor: Editor = "rome",
    model: ModelOfStack = None,
    setting: Settings = None,
    seed: Seed = 0,
    dtype: DtypeOfStack = None,
    device: Device = "auto",
    text: Text = TEXT,
    text_tokens: TextTokens = TEXT_TOKENS,
    require_success: RequireSuccess = False,
    min_kept: MinKept = LIMITS.kept,
    max_neighbours: MaxNeighbours = LIMITS.neighbours,
    max_relations: MaxRelations = LIMITS.relations,
    max_repeated: MaxRepeated = LIMITS.repeated,
    as_json: AsJson = False,
) -> None:
    """Edit a model, show what that changes, and keep the edit on a stack of edits.

    Status 3: a model does not say the target of an edit. Status 4: it does, but a check on what the
    edit should leave alone failed. The edit is kept unless --require-success is given. Edits that
    are kept are shown, undone and exported by `pitfalls stack`.

    Example: pitfalls edit --prompt "{} is located in" --subject Louvre --target Rome --out louvre
    """
    words = Words(prompt, subject, target, paraphrase or [], true_object or [], edits, together)
    making = Making(words.jobs(), editor, setting or [], seed, require_success)
    reading = Reading(text, text_tokens, min_kept, max_neighbours, max_relations, max_repeated)
    kept = making.on(out, NamedModel(model, dtype, device), reading, progress_on())
    lines = _lines(kept, out)
    if as_json:
        print_json(effect_json(kept.effect) | stack_json(kept.stack, lines))
    else:
        console = Console(highlight=False)
        draw(kept.effect, console)
        for line in lines:
            console.print(line, markup=False, soft_wrap=True)
    end_with(kept.effect)


@dataclass(frozen=True, slots=True)
class Making:
    """Edits to make, and how to make them."""

    jobs: Sequence[tuple[Request, ...]]
    editor: str
    settings: Sequence[str]
    """Words after `--set`."""
    seed: int
    require_success: bool

    def on(self, out: Path, model: NamedModel, reading: Reading, progress: Progress) -> "Kept":
        """Make the edits on top of the stack in `out`.

        Everything that can be refused without the model is refused before it is loaded.

        Raises:
            PitfallsError: a mistake in the input; nothing is written then.
        """
        overrides = self._overrides()

        from pitfalls.editors.table import editor_for  # torch, once the edits are known good
        from pitfalls.effects.keeping import edit_on_top
        from pitfalls.updates.stack import Stack

        there = Stack.found(out)
        requests = [request for job in self.jobs for request in job]
        _tell_overwritten(there.numbered if there else (), requests)
        scope = reading.scope(progress)
        loaded = model.load(there, progress)
        stack = Stack.open(out, loaded)
        return edit_on_top(
            stack,
            loaded,
            editor_for(self.editor, loaded, overrides, seed=self.seed),
            self.jobs,
            scope,
            name=self.editor,
            require_success=self.require_success,
            progress=progress,
        )

    def _overrides(self) -> dict[str, Any]:
        """Settings of the editor from `--set`, checked."""
        from pitfalls.editors.table import EDITORS, check_settings

        if self.editor not in EDITORS:
            raise UnknownNameError("editor", self.editor, EDITORS)
        refuse_idle(self.settings, [self.editor])
        overrides = parse_settings(self.settings).get(self.editor, {})
        check_settings(self.editor, overrides)
        return overrides


def _tell_overwritten(numbered: Sequence[tuple[int, Request]], requests: list[Request]) -> None:
    """Warn of every edit of the stack that a new one contradicts."""
    for number, old, new in overwritten(numbered, requests):
        told = f"edit {number} will be overwritten: {str(old)!r} by {str(new)!r}"
        print(f"pitfalls: {told}", file=sys.stderr)


def _lines(kept: "Kept", out: Path) -> list[str]:
    """Lines on what was written."""
    if not kept.numbers:
        return ["Nothing was written."]
    numbers = ", ".join(map(str, kept.numbers))
    undo = f"pitfalls stack undo {shlex.quote(str(out))} {kept.numbers[-1]}"
    return [f"Kept in {out} as edit {numbers}; to take the last one back: {undo}"]
