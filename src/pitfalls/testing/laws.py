"""The table of laws that every editor must pass; the rest of the package relies on them."""

from collections.abc import Callable, Sequence

from pitfalls.editors.editor import Editor
from pitfalls.facts import Edit
from pitfalls.models.language_model import LanguageModel
from pitfalls.testing import laws_of_fits, laws_of_updates
from pitfalls.testing.examined import EDITS, LONG, Examined
from pitfalls.updates.update import Update

LAWS: tuple[Callable[[Examined], None], ...] = (
    laws_of_fits.one_update_per_job,
    laws_of_fits.model_is_left_alone,
    laws_of_fits.model_is_left_alone_when_it_raises,
    laws_of_fits.nothing_comes_of_nothing,
    laws_of_fits.edits_become_more_likely,
    laws_of_updates.applied_is_taken_back,
    laws_of_updates.saved_is_read_again,
    laws_of_updates.readers_agree,
    laws_of_fits.jobs_do_not_touch_each_other,
    laws_of_fits.bases_are_seen,
    laws_of_fits.chains_repeat,
    laws_of_fits.a_broken_base_fails_alone,
)
"""In an order in which the first one broken tells most. A law raises AssertionError."""


def check_editor(
    editor: Editor,
    model: LanguageModel,
    *,
    edits: Sequence[Edit] = (*EDITS, LONG),
    tolerance: float = 1e-3,
    bases: Sequence[Update] = (),
) -> None:
    """Hold `editor` to all laws.

    Args:
        editor: with settings that fit `model`.
        model: small: the edits are fitted several times.
        edits: at least two, each of which the editor alone can make.
        tolerance: how far, relative to its norm, a change may differ when jobs share a batch.
        bases: updates by other editors that fits are to stand on, too.

    Raises:
        AssertionError: a law is broken; the message tells which.
    """
    it = Examined(editor=editor, model=model, edits=edits, tolerance=tolerance, bases=bases)
    for law in LAWS:
        law(it)
