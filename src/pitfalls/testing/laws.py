"""The laws that every editor must pass."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from jaxtyping import Float
from torch import Tensor

from pitfalls.editors.editor import Editor, Job
from pitfalls.facts import Edit
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.readout import Question, plain_target_logprobs
from pitfalls.models.weights.changes import Change
from pitfalls.updates.update import Update

EDITS = (
    Edit.of("The capital of {} is", subject="Côte d'Ivoire", target="Vienna"),
    Edit.of("{} was born in", subject="Marie Curie", target="Łódź in Poland"),
    Edit.of("{} is a citizen of", subject="Zola", target="Japan"),
)
"""Edits to check editors with."""


def check_editor(
    editor: Editor,
    model: LanguageModel,
    *,
    edits: Sequence[Edit] = EDITS,
    tolerance: float = 1e-3,
) -> None:
    """Hold `editor` to the laws that the rest of the package relies on.

    Args:
        editor: with settings that fit `model`.
        model: small: the edits are fitted several times.
        edits: at least two, each of which the editor alone can make.
        tolerance: how far, relative to its norm, a change may differ when jobs share a batch.

    Raises:
        AssertionError: a law is broken; the message tells which.
    """
    before = snapshot(model)
    jobs = [Job((edit,)) for edit in edits]
    with _counted(model) as calls:
        updates = editor.fit(model, jobs)
    _require(unchanged(model, before), "fit leaves the model as it was, bit for bit")
    _require(len(updates) == len(jobs), "fit returns one update per job")
    for update, edit in zip(updates, edits, strict=True):
        _require(update.failure is None, f"the fit of {edit} failed: {update.failure}")
        _require(bool(update.changes), f"{edit} changes something")
    _check_empty(editor, model)
    _check_interrupted(editor, model, jobs, before, calls=len(calls))
    _check_target(model, updates, edits)
    _check_applied(model, updates[0], before)
    _check_saved(updates[0])
    _check_alone(editor, model, jobs, updates, tolerance)


def _check_empty(editor: Editor, model: LanguageModel) -> None:
    _require(editor.fit(model, []) == [], "no jobs give no updates")
    (update,) = editor.fit(model, [Job(())])
    _require(update == Update(), "a job without edits gives an empty update")


def _check_interrupted(
    editor: Editor,
    model: LanguageModel,
    jobs: Sequence[Job],
    before: dict[str, Tensor],
    *,
    calls: int,
) -> None:
    """Let the forward passes of a fit break off at its beginning, middle and end."""
    for last in sorted({1, (calls + 1) // 2, calls} - {0}):
        try:
            with _counted(model, last=last):
                editor.fit(model, jobs)
        except _Interruption:
            pass
        law = f"fit leaves the model as it was, bit for bit, when it raises (at call {last})"
        _require(unchanged(model, before), law)


def _check_target(model: LanguageModel, updates: Sequence[Update], edits: Sequence[Edit]) -> None:
    for update, edit in zip(updates, edits, strict=True):
        prompt = edit.relation.prompt.format(edit.subject.label)
        question = Question(prompt, edit.new_object.label, {})
        (first,) = plain_target_logprobs(model, [question])
        with update.applied(model):
            (second,) = plain_target_logprobs(model, [question])
        _require(bool(second.mean() > first.mean()), f"{edit} becomes more likely")


def _check_applied(model: LanguageModel, update: Update, before: dict[str, Tensor]) -> None:
    others = {name: weight for name, weight in before.items() if name not in update.changes}
    with update.applied(model):
        _require(unchanged(model, others), "an update changes the weights it names and no others")
    _require(unchanged(model, before), "leaving `applied` restores the model, bit for bit")
    try:
        with update.applied(model):
            raise _Interruption
    except _Interruption:
        pass
    law = "leaving `applied` by an exception restores the model, bit for bit"
    _require(unchanged(model, before), law)


def _check_saved(update: Update) -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "update.safetensors"
        update.save(file)
        _require(Update.load(file) == update, "a saved and reloaded update is equal")


def _check_alone(
    editor: Editor,
    model: LanguageModel,
    jobs: Sequence[Job],
    updates: Sequence[Update],
    tolerance: float,
) -> None:
    for job, update in zip(jobs, updates, strict=True):
        (alone,) = editor.fit(model, [job])
        gap = distance(alone, update)
        law = f"a job gets alone what it gets in a batch (relative distance {gap:.1e})"
        _require(gap <= tolerance, law)


def snapshot(model: LanguageModel) -> dict[str, Tensor]:
    """A copy of every weight of `model`, by its name."""
    return {name: weight.detach().clone() for name, weight in model.network.named_parameters()}


def unchanged(model: LanguageModel, before: dict[str, Tensor]) -> bool:
    """Whether every weight in `before` still has the same bits in `model`."""
    weights = dict(model.network.named_parameters())
    return all(_same_bits(weights[name], weight) for name, weight in before.items())


def distance(first: Update, second: Update) -> float:
    """The largest relative Frobenius distance between two updates' changes of a weight."""
    if first.changes.keys() != second.changes.keys():
        return float("inf")
    gaps = (_gap(change, second.changes[name]) for name, change in first.changes.items())
    return max(gaps, default=0.0)


def _gap(first: Change, second: Change) -> float:
    """Between what they come to, or between their parts where no matrix says what that is."""
    if first.matrix is not None and second.matrix is not None:
        return _relative(first.matrix, second.matrix)
    ours, theirs = first.tensors(), second.tensors()
    if any(theirs[part].shape != each.shape for part, each in ours.items()):
        return float("inf")
    return max(_relative(each, theirs[part]) for part, each in ours.items())


def _relative(a: Float[Tensor, "..."], b: Float[Tensor, "..."]) -> float:
    return ((a - b).norm() / b.norm()).item() if a.ne(b).any() else 0.0


def _same_bits(a: Tensor, b: Tensor) -> bool:
    return torch.equal(a.detach().view(torch.uint8), b.detach().view(torch.uint8))


class _Interruption(Exception):
    """What breaks off a fit to see what it leaves behind."""


@contextmanager
def _counted(model: LanguageModel, *, last: int | None = None) -> Iterator[list[str]]:
    """Inside the block, note every call of a second MLP matrix; at the `last`-th, raise."""
    calls: list[str] = []

    def note(module: torch.nn.Module, inputs: tuple[Tensor, ...]) -> None:
        del inputs
        calls.append(type(module).__name__)
        if len(calls) == last:
            raise _Interruption

    with ExitStack() as stack:
        for layer in range(model.n_layers):
            stack.callback(model.mlp_out(layer).register_forward_pre_hook(note).remove)
        yield calls


def _require(holds: bool, law: str) -> None:
    if not holds:
        raise AssertionError(law)
