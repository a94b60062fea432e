"""The laws of every editor, one by one, over the table of all of them and all model families."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import torch
from table import DIVERGING, MOMENTS, SETTINGS, TEMPLATES, TOLERANCE, tiny_editor
from torch import nn
from transformers.pytorch_utils import Conv1D

from pitfalls.editors.editor import Editor, Job
from pitfalls.editors.table import EDITORS
from pitfalls.facts import Edit, Entity
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.moments import MomentSettings
from pitfalls.models.reading.readout import Question, target_logprobs
from pitfalls.models.weights.changes import Dense
from pitfalls.progress import Advance
from pitfalls.testing import EDITS, check_editor, distance, snapshot, tiny_model, unchanged
from pitfalls.updates.update import Update

NAMES = sorted(EDITORS)
each_editor = pytest.mark.parametrize("name", NAMES)

LONG = Edit.of("In the city of {}, the author of the book", subject="日本", target="lived in Paris")
AGAIN = replace(EDITS[0], new_object=Entity("Paris", "Paris"))
"""The same subject and relation as the first of `EDITS`, edited towards one other word:
FT asks for all of a target's tokens at once behind the prompt, which may miss a longer target."""


def test_every_editor_is_held_to_the_laws():
    assert EDITORS.keys() <= SETTINGS.keys()
    assert EDITORS.keys() <= DIVERGING.keys()


def close(name: str, first: Update, second: Update) -> bool:
    return distance(first, second) <= TOLERANCE.get(name, 1e-4)


def mean_logprob(model: LanguageModel, edit: Edit, update: Update) -> float:
    prompt = edit.relation.prompt.format(edit.subject.label)
    (answer,) = target_logprobs(model, [Question(prompt, edit.new_object.label, update.changes)])
    return answer.mean().item()


def mixed_jobs(name: str, model: LanguageModel, moments: MomentSettings) -> list[Job]:
    """Short and long, one edit and several, on bases and on none: what may share a batch."""
    (base,) = tiny_editor(name, model, moments).fit(model, [Job((EDITS[2],))])
    return [
        Job((EDITS[0],)),
        Job((LONG,)),
        Job(EDITS[:2]),
        Job(()),
        Job((EDITS[1],), base),
        Job((AGAIN, LONG), base),
        Job((EDITS[2],)),
    ]


@dataclass(frozen=True)
class Fitted:
    """An editor, jobs that share a batch, and what it makes of them."""

    editor: Editor
    jobs: list[Job]
    updates: list[Update]


@pytest.fixture(scope="module")
def fitted(moments: MomentSettings) -> Callable[[str, LanguageModel], Fitted]:
    """Mixed jobs fitted once for every editor and model; tests only look at them."""
    made: dict[tuple[str, str], Fitted] = {}

    def fit(name: str, model: LanguageModel) -> Fitted:
        key = (name, model.name)
        if key not in made:
            editor, jobs = tiny_editor(name, model, moments), mixed_jobs(name, model, moments)
            made[key] = Fitted(editor, jobs, editor.fit(model, jobs))
        return made[key]

    return fit


FittedBy = Callable[[str, LanguageModel], Fitted]


@each_editor
def test_the_public_check_passes(name: str, model: LanguageModel, moments: MomentSettings):
    editor = tiny_editor(name, model, moments)
    check_editor(editor, model, tolerance=TOLERANCE.get(name, 1e-4))


class Stop(Exception):
    pass


@dataclass
class Stopping:
    """A progress whose `at`-th event raises."""

    at: int
    events: list[str] = field(default_factory=list)

    def _note(self, event: str) -> None:
        self.events.append(event)
        if len(self.events) == self.at:
            raise Stop

    @contextmanager
    def stage(self, name: str, total: float | None = None, unit: str = "") -> Iterator[Advance]:
        self._note(name)
        yield lambda amount: self._note(f"{name} +{amount}")

    def note(self, line: str) -> None:
        self._note(line)


@each_editor
def test_fit_leaves_the_model_alone_when_progress_raises(name: str, moments: MomentSettings):
    model = tiny_model("gpt2")
    before = snapshot(model)
    editor = tiny_editor(name, model, moments)
    jobs = mixed_jobs(name, model, moments)
    watched = Stopping(at=-1)
    editor.fit(model, jobs, progress=watched)
    assert watched.events, "the editor tells of its progress"
    for at in range(1, len(watched.events) + 1):
        with pytest.raises(Stop):
            editor.fit(model, jobs, progress=Stopping(at))
        assert unchanged(model, before), watched.events[at - 1]


@each_editor
def test_fit_leaves_no_hook_and_no_gradient(name: str, model: LanguageModel, fitted: FittedBy):
    fitted(name, model)
    for module in model.network.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
    for parameter in model.network.parameters():
        assert parameter.grad is None
        assert not parameter.requires_grad


@each_editor
def test_applied_changes_what_it_names_and_restores_it(
    name: str, model: LanguageModel, moments: MomentSettings
):
    (update,) = tiny_editor(name, model, moments).fit(model, [Job((EDITS[0],))])
    before = snapshot(model)
    with update.applied(model):
        for weight, value in before.items():
            assert unchanged(model, {weight: value}) == (weight not in update.changes)
    assert unchanged(model, before)
    with pytest.raises(Stop), update.applied(model):
        raise Stop
    assert unchanged(model, before)


@each_editor
def test_a_saved_and_reloaded_update_is_equal(
    name: str, model: LanguageModel, fitted: FittedBy, tmp_path: Path
):
    for i, update in enumerate(fitted(name, model).updates):
        file = tmp_path / f"{i}.safetensors"
        update.save(file)
        assert Update.load(file) == update


@each_editor
def test_a_batch_of_jobs_is_each_alone_in_any_order(
    name: str, model: LanguageModel, fitted: FittedBy
):
    together = fitted(name, model)
    editor, jobs = together.editor, together.jobs
    backwards = editor.fit(model, jobs[::-1])[::-1]
    for job, update, other in zip(jobs, together.updates, backwards, strict=True):
        (alone,) = editor.fit(model, [job])
        assert close(name, update, alone), job
        assert close(name, update, other), job
        assert [part.edits for part in update.history] == [part.edits for part in alone.history]
        for ours, theirs in zip(update.history, alone.history, strict=True):
            assert ours.losses == pytest.approx(theirs.losses, rel=TOLERANCE.get(name, 1e-4))


@each_editor
def test_the_fast_path_on_a_shuffled_batch_is_the_plain_path(
    name: str, family: str, model: LanguageModel, fitted: FittedBy
):
    """One job at a time on whole texts, by transformers as it comes."""
    together, plain = fitted(name, model), tiny_model(family, plain=True)
    order = random.Random(name).sample(range(len(together.jobs)), len(together.jobs))
    shuffled = together.editor.fit(model, [together.jobs[i] for i in order])
    for i, update in zip(order, shuffled, strict=True):
        (alone,) = together.editor.fit(plain, [together.jobs[i]])
        assert close(name, update, alone), together.jobs[i]
        for ours, theirs in zip(update.history, alone.history, strict=True):
            assert ours.losses == pytest.approx(theirs.losses, rel=TOLERANCE.get(name, 1e-4))


@each_editor
def test_equal_models_give_equal_updates_bit_for_bit(
    name: str, family: str, moments: MomentSettings
):
    fits = []
    for _ in range(2):
        same = tiny_model(family)
        fits.append(tiny_editor(name, same, moments).fit(same, mixed_jobs(name, same, moments)))
    for first, second in zip(*fits, strict=True):
        assert timeless(first) == timeless(second)


def timeless(update: Update) -> Update:
    """Without the one thing that differs between equal fits."""
    return Update(update.changes, tuple(replace(part, seconds=0.0) for part in update.history))


def linear_copy(model: LanguageModel) -> LanguageModel:
    """The same function with a Linear in place of every Conv1D."""
    network = deepcopy(model.network)
    for name, module in list(network.named_modules()):
        if isinstance(module, Conv1D):
            d_in, d_out = module.weight.shape
            linear = nn.Linear(d_in, d_out)
            linear.weight = nn.Parameter(module.weight.mT.contiguous(), requires_grad=False)
            linear.bias = nn.Parameter(module.bias.clone(), requires_grad=False)
            network.set_submodule(name, linear)
    return LanguageModel("linear", network, model.tokenizer, model.architecture)


@each_editor
def test_conv1d_and_linear_models_of_equal_weights_agree(name: str, moments: MomentSettings):
    conv = tiny_model("gpt2")
    linear = linear_copy(conv)
    fits = [
        tiny_editor(name, model, moments).fit(model, mixed_jobs(name, model, moments))
        for model in (conv, linear)
    ]
    for ours, theirs in zip(*fits, strict=True):
        assert close(name, ours, theirs)
        with ours.applied(conv), theirs.applied(linear):
            edit = EDITS[0]
            assert mean_logprob(conv, edit, Update()) == pytest.approx(
                mean_logprob(linear, edit, Update()), rel=TOLERANCE.get(name, 1e-4)
            )


@each_editor
def test_no_edits_give_an_empty_update(name: str, model: LanguageModel, moments: MomentSettings):
    editor = tiny_editor(name, model, moments)
    assert editor.fit(model, []) == []
    first, edited, last = editor.fit(model, [Job(()), Job((EDITS[0],)), Job(())])
    assert first == last == Update()
    assert edited.changes


@each_editor
def test_several_edits_of_one_job_all_become_more_likely(
    name: str, model: LanguageModel, moments: MomentSettings
):
    (update,) = tiny_editor(name, model, moments).fit(model, [Job((EDITS[0], LONG))])
    assert update.failure is None
    for edit in (EDITS[0], LONG):
        assert mean_logprob(model, edit, update) > mean_logprob(model, edit, Update())


def committed(model: LanguageModel, update: Update) -> LanguageModel:
    """A model that carries `update` for good and remembers what the unedited one does: C."""
    edited = replace(model, network=deepcopy(model.network))
    update.commit(edited)
    return edited


@each_editor
def test_an_edit_on_top_of_any_other_sees_it(
    name: str, model: LanguageModel, moments: MomentSettings, fitted: FittedBy
):
    """On top of an update, an editor does what it does on the model that update gives."""
    editor = tiny_editor(name, model, moments)
    bases = [fitted(base_name, model).updates[0] for base_name in NAMES]
    jobs = [Job((AGAIN,), base) for base in [Update(), *bases]]
    without, *on_tops = editor.fit(model, jobs)
    for base_name, base, on_top in zip(NAMES, bases, on_tops, strict=True):
        (plain,) = editor.fit(committed(model, base), [Job((AGAIN,))])
        assert on_top.failure is None, base_name
        assert close(name, on_top, plain), base_name
        assert not close(name, on_top, without), f"{base_name} has a part in it"
        assert mean_logprob(model, AGAIN, base + on_top) > mean_logprob(model, AGAIN, base)


def failed(update: Update) -> bool:
    return update.failure is not None and not update.changes


@each_editor
def test_a_fit_that_diverges_says_so_and_changes_nothing(
    name: str, model: LanguageModel, moments: MomentSettings
):
    before = snapshot(model)
    editor = tiny_editor(name, model, moments, **DIVERGING[name])
    for update in editor.fit(model, [Job((EDITS[0],)), Job(EDITS[:2])]):
        assert failed(update)
        assert "nan" in update.failure or "inf" in update.failure or "finite" in update.failure
    assert unchanged(model, before)


@each_editor
def test_a_job_that_fails_does_not_touch_the_others(
    name: str, model: LanguageModel, moments: MomentSettings, tmp_path: Path
):
    editor: Editor = tiny_editor(name, model, moments)
    weight = f"{model.mlp_out_name(0)}.weight"
    broken = Update({weight: Dense(torch.full(tuple(model.weight(weight).shape), torch.nan))})
    jobs = [Job((EDITS[0],)), Job((EDITS[1],), broken), Job((LONG, EDITS[2]), broken), Job((LONG,))]
    updates = editor.fit(model, jobs)
    for job, update in zip(jobs, updates, strict=True):
        if job.base is broken:
            assert failed(update)
            update.save(tmp_path / "failed.safetensors")
            assert Update.load(tmp_path / "failed.safetensors") == update
        else:
            (alone,) = editor.fit(model, [job])
            assert update.failure is None
            assert close(name, update, alone)


@each_editor
def test_an_edit_of_bfloat16_weights_is_found_in_float32(name: str, moments: MomentSettings):
    model = tiny_model("llama")
    model.network.to(torch.bfloat16)
    before = snapshot(model)
    editor = tiny_editor(name, model, moments)
    (update,) = editor.fit(model, [Job((EDITS[0],))])
    assert unchanged(model, before)
    assert {change.matrix.dtype for change in update.changes.values()} == {torch.float32}
    assert mean_logprob(model, EDITS[0], update) > mean_logprob(model, EDITS[0], Update())


@each_editor
def test_a_smaller_memory_gives_the_same_updates(
    name: str, model: LanguageModel, fitted: FittedBy, monkeypatch: pytest.MonkeyPatch
):
    """Batches that do not fit are halved, down to single jobs."""
    plain = fitted(name, model)
    forward, refused = model.network.base_model.forward, []
    room = len(TEMPLATES) + 1 if name in MOMENTS else 2  # the rows that cannot be parted

    def small(*args, **kwargs):
        if len(kwargs["input_ids"]) > room:
            refused.append(len(kwargs["input_ids"]))
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(*args, **kwargs)

    monkeypatch.setattr(model.network.base_model, "forward", small)
    for update, expected in zip(plain.editor.fit(model, plain.jobs), plain.updates, strict=True):
        assert close(name, update, expected)
    assert refused


@each_editor
def test_a_model_that_is_partly_on_disk_is_edited_alike(
    name: str, tiny_folder: Path, moments: MomentSettings
):
    """Of the edited layers and those above and below, some are in memory and some are not."""
    where = {"model.embed_tokens": "cpu", "model.norm": "cpu", "model.rotary_emb": "cpu"}
    where |= {f"model.layers.{i}": "disk" if i in (0, 2) else "cpu" for i in range(4)}
    whole = LanguageModel.load(str(tiny_folder))
    spread = LanguageModel.load(str(tiny_folder), device=where | {"lm_head": "disk"})
    fits = [
        tiny_editor(name, model, moments).fit(model, mixed_jobs(name, model, moments))
        for model in (whole, spread)
    ]
    for ours, theirs in zip(*fits, strict=True):
        assert close(name, ours, theirs)
