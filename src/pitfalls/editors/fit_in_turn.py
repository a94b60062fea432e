"""Edits that are fitted one on top of another."""

from collections.abc import Sequence
from functools import reduce
from operator import add

from pitfalls.editors.editor import Editor, Job
from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.progress import SILENT, Progress
from pitfalls.updates.request import Request
from pitfalls.updates.update import Update


def fit_in_turn(
    editor: Editor,
    model: LanguageModel,
    jobs: Sequence[Sequence[Request]],
    base: Update,
    *,
    progress: Progress = SILENT,
) -> list[Update]:
    """An update per job, each fitted on top of `base` and of all jobs before it.

    Raises:
        PitfallsError: a fit failed; the line tells which and why.
    """
    updates: list[Update] = []
    for requests in jobs:
        job = Job(tuple(request.edit for request in requests), reduce(add, updates, base))
        (update,) = editor.fit(model, [job], progress=progress)
        if update.failure:
            raise PitfallsError(
                f"the fit of '{requests[0]}' failed: {update.failure}; nothing was written: try "
                "another editor or a smaller learning rate (--set)"
            )
        updates.append(update)
    return updates
