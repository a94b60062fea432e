"""What `pitfalls edit` does: makes edits, keeps them on a stack, shows and takes them back."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING

from pitfalls.cli.asked import Words
from pitfalls.cli.exports import Exports
from pitfalls.cli.settings import parse_settings, refuse_idle
from pitfalls.errors import UnknownNameError
from pitfalls.graph.starter import starter_graph
from pitfalls.progress import Progress
from pitfalls.updates.request import Request

if TYPE_CHECKING:  # torch, which a user who asks for help should not wait for
    from pitfalls.effects.effect import Effect
    from pitfalls.effects.limits import Limits
    from pitfalls.models.language_model import LanguageModel
    from pitfalls.updates.stack import BaseModel, Entry, Stack
    from pitfalls.updates.update import Update


@dataclass(frozen=True, slots=True)
class Setup:
    """Which model, how it is edited, what it is read on, and what counts as a side effect."""

    editor: str
    model: str | None
    settings: Sequence[str]
    seed: int
    dtype: str | None
    device: str
    text: str
    text_tokens: int
    limits: "Limits"

    def load(self, base: "BaseModel | None", out: Path, progress: Progress) -> "LanguageModel":
        """The model that was named, or `base`, the one that the stack in `out` is for.

        Raises:
            PitfallsError: no such model, or surely another than that of the stack.
        """
        from pitfalls.models.language_model import LanguageModel

        name = self.model or (base.name if base else "smollm2-135m")
        dtype = self.dtype or (base.dtype if base else "float32")
        if base is not None:
            base.refuse_other(name, dtype, folder=out)
        return LanguageModel.load(name, dtype=dtype, device=self.device, progress=progress)

    def effect(
        self,
        model: "LanguageModel",
        requests: Sequence[Request],
        update: "Update",
        progress: Progress,
        *,
        base: "Update | None" = None,
        earlier: Sequence[Request] = (),
    ) -> "Effect":
        """What the update does, read against the starter graph and the text.

        Raises:
            PitfallsError: no such text.
        """
        from pitfalls.effects.effect import effect_of
        from pitfalls.models.text.corpus import load_corpus

        return effect_of(
            model,
            requests,
            update,
            graph=starter_graph(),
            corpus=load_corpus(self.text, progress=progress),
            base=base,
            earlier=earlier,
            limits=self.limits,
            max_tokens=self.text_tokens,
            progress=progress,
        )


@dataclass(frozen=True, slots=True)
class Kept:
    """What came of it."""

    stack: "Stack"
    effect: "Effect | None"
    lines: list[str]
    """What was written, in words."""


def make(
    words: Words,
    setup: Setup,
    out: Path,
    exports: Exports,
    *,
    require_success: bool,
    progress: Progress,
) -> Kept:
    """Fit the edits on top of the stack in `out`, read what they change, and keep them.

    Raises:
        PitfallsError: a mistake in the input; nothing is written then.
    """
    exports.check(out)
    jobs = words.jobs()

    from pitfalls.editors.fit_in_turn import fit_in_turn  # torch, once they are known good
    from pitfalls.editors.table import EDITORS, editor_for
    from pitfalls.models.text.corpus import load_corpus
    from pitfalls.updates.stack import Made, Stack
    from pitfalls.updates.update import Update

    if setup.editor not in EDITORS:
        raise UnknownNameError("editor", setup.editor, EDITORS)
    refuse_idle(setup.settings, [setup.editor])
    requests = [request for job in jobs for request in job]
    there = Stack.found(out)
    _tell_overwritten(there.entries if there else (), requests)
    load_corpus(setup.text, progress=progress)  # refused, if it is, before anything long begins
    model = setup.load(there.model if there else None, out, progress)
    exports.check_for(model)
    stack = Stack.open(out, model)
    overrides = parse_settings(setup.settings).get(setup.editor)
    editor = editor_for(setup.editor, model, overrides, seed=setup.seed)
    base = stack.total().to(model.device)
    base.refuse_misfit(model)
    updates = fit_in_turn(editor, model, jobs, base, progress=progress)
    adapter = exports.prepared(reduce(add, updates, base))
    new = reduce(add, updates, Update())
    effect = setup.effect(model, requests, new, progress, base=base, earlier=stack.requests)
    if require_success and (effect.failed or effect.harmed):
        return Kept(stack, effect, ["Nothing was written."])
    made = [Made(j, setup.editor, u) for j, u in zip(jobs, updates, strict=True)]
    # Exports first: if one cannot be written, typing the command again must not edit twice.
    exports.write(model, reduce(add, updates, base), adapter)
    grown = stack.with_edits(made)
    numbers = ", ".join(str(n) for n in range(stack.made + 1, grown.made + 1))
    undo = f"pitfalls edit --undo {grown.made} --out {out}"
    kept = f"Kept in {out} as edit {numbers}; to take the last one back: {undo}"
    return Kept(grown, effect, [kept, *exports.told(adapter)])


def look_after(
    setup: Setup, out: Path, exports: Exports, *, show: bool, progress: Progress
) -> Kept:
    """The stack in `out`, read and exported as far as it is asked for.

    Raises:
        PitfallsError: no such stack, another model, or an export that cannot be written.
    """
    exports.check(out)

    from pitfalls.updates.stack import Stack

    stack = Stack.read(out)
    if not (show or exports):
        return Kept(stack, None, [])
    model = setup.load(stack.model, out, progress)
    exports.check_for(model)
    Stack.open(out, model)  # refuses another model
    total = stack.total().to(model.device)
    total.refuse_misfit(model)
    adapter = exports.prepared(total)
    effect = setup.effect(model, stack.requests, total, progress) if show else None
    exports.write(model, total, adapter)
    return Kept(stack, effect, exports.told(adapter))


def take_back(out: Path, number: int) -> Kept:
    """The stack in `out` without one of its edits.

    Raises:
        PitfallsError: no such stack or edit.
    """
    from pitfalls.updates.stack import Stack

    rest = Stack.read(out).without(number)
    look = f"see what is left: pitfalls edit --show --out {out}"
    return Kept(rest, None, [f"Edit {number} is off {out}; {look}"])


def _tell_overwritten(entries: "Sequence[Entry]", requests: Sequence[Request]) -> None:
    """A line about every edit of the stack that the new ones contradict."""
    from pitfalls.effects.contradictions import overwriting

    for entry in entries:
        for old in entry.requests:
            if new := overwriting(old, requests):
                told = f"edit {entry.number} will be overwritten: {str(old)!r} by {str(new)!r}"
                print(f"pitfalls: {told}", file=sys.stderr)
