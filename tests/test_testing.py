"""`check_editor` lets a sound editor pass and names the law that a faulty one breaks."""

from collections.abc import Callable, Sequence

import pytest
import torch

from pitfalls.editors.editor import Editor, Job
from pitfalls.editors.fine_tune import FineTune
from pitfalls.errors import UnknownNameError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.weights.changes import Dense
from pitfalls.progress import SILENT, Progress
from pitfalls.testing import FAMILIES, check_editor, snapshot, tiny_model, unchanged
from pitfalls.updates.provenance import Provenance
from pitfalls.updates.update import Update

SOUND = FineTune(layer=2, steps=3, lr=5e-3)
Fit = Callable[[LanguageModel, Sequence[Job]], list[Update]]


class Made(Editor):
    """An editor that is one function."""

    def __init__(self, fit: Fit) -> None:
        self._fit = fit

    def fit(
        self, model: LanguageModel, jobs: Sequence[Job], *, progress: Progress = SILENT
    ) -> list[Update]:
        return self._fit(model, jobs)


def leaves_its_change(model: LanguageModel, jobs: Sequence[Job]) -> list[Update]:
    updates = SOUND.fit(model, jobs)
    updates[0].commit(model)
    return updates


def leaves_its_change_when_it_raises(model: LanguageModel, jobs: Sequence[Job]) -> list[Update]:
    weight = model.network.get_parameter(f"{model.mlp_out_name(0)}.weight")
    original = weight.clone()
    weight.mul_(2)
    updates = SOUND.fit(model, jobs)
    weight.copy_(original)
    return updates


def loses_a_job(model: LanguageModel, jobs: Sequence[Job]) -> list[Update]:
    return SOUND.fit(model, jobs[1:])


def does_nothing(model: LanguageModel, jobs: Sequence[Job]) -> list[Update]:
    return [Update() for _ in jobs]


def fails(model: LanguageModel, jobs: Sequence[Job]) -> list[Update]:
    return [Update({}, (Provenance("x", (), "f", (), 0.0, "no idea"),)) for _ in jobs]


def makes_it_less_likely(model: LanguageModel, jobs: Sequence[Job]) -> list[Update]:
    return [
        Update({name: Dense(-change.matrix) for name, change in update.changes.items()})
        for update in SOUND.fit(model, jobs)
    ]


def edits_where_there_is_nothing(model: LanguageModel, jobs: Sequence[Job]) -> list[Update]:
    name = f"{model.mlp_out_name(1)}.bias"
    return [
        update if job.edits else Update({name: Dense(torch.ones(model.width))})
        for job, update in zip(jobs, SOUND.fit(model, jobs), strict=True)
    ]


def mixes_jobs(model: LanguageModel, jobs: Sequence[Job]) -> list[Update]:
    updates = SOUND.fit(model, jobs)
    whole = sum(updates, start=Update())
    mixed = {name: Dense(change.matrix / len(jobs)) for name, change in whole.changes.items()}
    return [
        Update({n: Dense(c.matrix + 0.01 * mixed[n].matrix) for n, c in update.changes.items()})
        for update in updates
    ]


BROKEN: dict[str, tuple[Fit, str]] = {
    "stays": (leaves_its_change, "leaves the model as it was, bit for bit$"),
    "stays when raising": (leaves_its_change_when_it_raises, "when it raises"),
    "job lost": (loses_a_job, "one update per job"),
    "nothing": (does_nothing, "changes something"),
    "fails": (fails, "failed: no idea"),
    "wrong way": (makes_it_less_likely, "becomes more likely"),
    "out of nothing": (edits_where_there_is_nothing, "changes something if it has edits"),
    "mixed": (mixes_jobs, "gets alone what it gets in a batch"),
}


def test_a_sound_editor_passes():
    check_editor(Made(SOUND.fit), tiny_model("llama"))


@pytest.mark.parametrize("how", BROKEN)
def test_a_faulty_editor_is_caught(how: str):
    fit, law = BROKEN[how]
    with pytest.raises(AssertionError, match=law):
        check_editor(Made(fit), tiny_model("gpt2"))


@pytest.mark.parametrize("family", FAMILIES)
def test_equal_seeds_make_equal_models(family: str):
    model = tiny_model(family, seed=3)
    torch.manual_seed(0)
    state = torch.random.get_rng_state()
    assert unchanged(tiny_model(family, seed=3), snapshot(model))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert not unchanged(tiny_model(family, seed=4), snapshot(model))
    assert tiny_model(family, seed=3).fingerprint == model.fingerprint


def test_an_unknown_family_is_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'llama'"):
        tiny_model("lama")
