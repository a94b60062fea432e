"""Edits on a stack: fitted on top of it, read, and kept."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import add

from pitfalls.editors.editor import Editor
from pitfalls.editors.fit_in_turn import fit_in_turn
from pitfalls.effects.effect import Effect, effect_of
from pitfalls.effects.limits import Limits
from pitfalls.graph.graph import Graph
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.text.corpus import Corpus
from pitfalls.progress import SILENT, Progress
from pitfalls.updates.request import Request
from pitfalls.updates.stack import Made, Stack
from pitfalls.updates.update import Update


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Scope of a reading: where effects are looked for, and what counts as a side effect."""

    graph: Graph
    """Neighbours, other relations and unrelated facts come from it."""
    corpus: Corpus
    """Text that perplexity is measured on."""
    max_tokens: int = 2048
    """Tokens of the text to read."""
    limits: Limits = field(default_factory=Limits)

    def effect(
        self,
        model: LanguageModel,
        requests: Sequence[Request],
        update: Update,
        *,
        base: Update | None = None,
        earlier: Sequence[Request] = (),
        progress: Progress = SILENT,
    ) -> Effect:
        """Read what `update` changes, as `effect_of` does."""
        return effect_of(
            model,
            requests,
            update,
            graph=self.graph,
            corpus=self.corpus,
            base=base,
            earlier=earlier,
            limits=self.limits,
            max_tokens=self.max_tokens,
            progress=progress,
        )


@dataclass(frozen=True, slots=True)
class Kept:
    """Edits that were made on top of a stack."""

    stack: Stack
    """With the edits, if they were kept."""
    effect: Effect
    numbers: tuple[int, ...]
    """Numbers of the edits on the stack; none if they were not kept."""


def edit_on_top(
    stack: Stack,
    model: LanguageModel,
    editor: Editor,
    jobs: Sequence[tuple[Request, ...]],
    scope: Scope,
    *,
    name: str,
    require_success: bool = False,
    progress: Progress = SILENT,
) -> Kept:
    """Fit edits on top of a stack, read what they change, and keep them.

    Args:
        stack: the edits that are there.
        model: the unedited model of the stack.
        editor: makes the edits.
        jobs: an edit of the stack each, fitted in turn.
        scope: where effects are looked for.
        name: the editor's name in the table of editors, which the stack remembers.
        require_success: keep nothing unless every edit takes and every check passes.
        progress: told of the stages.

    Raises:
        PitfallsError: another model, a fit that failed, or a stack that cannot be written; nothing
            is kept then.
    """
    base = stack.total_for(model)
    updates = fit_in_turn(editor, model, jobs, base, progress=progress)
    requests = [request for job in jobs for request in job]
    new = reduce(add, updates, Update())
    effect = scope.effect(
        model, requests, new, base=base, earlier=stack.requests, progress=progress
    )
    if require_success and (effect.failed or effect.harmed):
        return Kept(stack, effect, ())
    made = [Made(job, name, update) for job, update in zip(jobs, updates, strict=True)]
    grown = stack.with_edits(made)
    return Kept(grown, effect, tuple(range(stack.made + 1, grown.made + 1)))


def effect_of_stack(
    stack: Stack, model: LanguageModel, scope: Scope, *, progress: Progress = SILENT
) -> Effect:
    """Read what all edits of a stack do to the unedited model together.

    Raises:
        PitfallsError: the stack is for another model, or a file of it is damaged.
    """
    total = stack.total_for(model)
    return scope.effect(model, stack.requests, total, progress=progress)
