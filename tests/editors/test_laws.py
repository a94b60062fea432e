"""The laws of every editor, over the table of all of them and all model families."""

import random
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import torch
from table import DIVERGING, MOMENTS, SETTINGS, TEMPLATES, TOLERANCE, tiny_editor
from torch import nn
from transformers.pytorch_utils import Conv1D

from pitfalls.editors.about import CONTEXT
from pitfalls.editors.table import EDITORS
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.moments import MomentSettings
from pitfalls.progress import Advance
from pitfalls.testing import (
    EDITS,
    FAMILIES,
    FAMILY_KINDS,
    LAWS,
    Examined,
    distance,
    tiny_model,
    unchanged,
)
from pitfalls.testing.laws_of_updates import readers_agree
from pitfalls.updates.update import Update

NAMES = sorted(EDITORS)
BY_WEIGHTS = [name for name in NAMES if EDITORS[name].about.stores is not CONTEXT]
"""Editors that run the model when they fit."""
KINDS = ("ft", "ike", "memit", "mend", "rome")
"""One editor of each kind, which is held to the laws on all families or kinds of family."""
TWO = FAMILY_KINDS[:2]
"""Families for all other editors."""

ExaminedBy = Callable[[str, str], Examined]


def pairs(families: Collection[str]) -> list[tuple[str, str]]:
    """Editors and families, in an order in which those of one family lie together."""
    return [
        (name, family) for family in families for name in NAMES if name in KINDS or family in TWO
    ]


on_all_kinds = pytest.mark.parametrize(("name", "family"), pairs(FAMILY_KINDS))
everywhere = pytest.mark.parametrize(("name", "family"), pairs(FAMILIES))
on_two = pytest.mark.parametrize(("name", "family"), pairs(TWO))
on_two_by_weights = pytest.mark.parametrize(
    ("name", "family"), [pair for pair in pairs(TWO) if pair[0] in BY_WEIGHTS]
)
each_editor = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def examined(moments: MomentSettings) -> ExaminedBy:
    """Every editor on every family, fitted once; tests only look at it."""
    models: dict[str, LanguageModel] = {}
    made: dict[tuple[str, str], Examined] = {}

    def examine(name: str, family: str) -> Examined:
        model = models.setdefault(family, tiny_model(family))
        if (name, family) not in made:
            editor = tiny_editor(name, model, moments)
            tolerance = TOLERANCE.get(name, 1e-4)
            made[name, family] = Examined(editor=editor, model=model, tolerance=tolerance)
        return made[name, family]

    return examine


def test_every_editor_is_held_to_the_laws():
    assert EDITORS.keys() <= SETTINGS.keys()
    assert set(BY_WEIGHTS) <= DIVERGING.keys()


@on_all_kinds
def test_every_law(name: str, family: str, examined: ExaminedBy):
    bases = [examined(other, family).base for other in KINDS if other != name]
    it = replace(examined(name, family), bases=bases)
    for law in LAWS:
        law(it)


def close(name: str, first: Update, second: Update) -> bool:
    return distance(first, second) <= TOLERANCE.get(name, 1e-4)


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
def test_fit_leaves_the_model_alone_when_progress_raises(name: str, examined: ExaminedBy):
    it, watched = examined(name, "gpt2"), Stopping(at=-1)
    jobs = it.jobs[:3]
    it.editor.fit(it.model, jobs, progress=watched)
    assert watched.events, "the editor tells of its progress"
    for at in range(1, len(watched.events) + 1):
        with pytest.raises(Stop):
            it.editor.fit(it.model, jobs, progress=Stopping(at))
        assert unchanged(it.model, it.before), watched.events[at - 1]


@everywhere
def test_the_fast_path_on_a_shuffled_batch_is_the_plain_path(
    name: str, family: str, examined: ExaminedBy
):
    """One job at a time on whole texts, by transformers as it comes."""
    it, plain = examined(name, family), tiny_model(family, plain=True)
    order = random.Random(name).sample(range(len(it.jobs)), len(it.jobs))
    shuffled = it.editor.fit(it.model, [it.jobs[i] for i in order])
    for i, update in zip(order, shuffled, strict=True):
        (alone,) = it.editor.fit(plain, [it.jobs[i]])
        assert it.close(update, alone), it.jobs[i]
        for ours, theirs in zip(update.history, alone.history, strict=True):
            assert ours.losses == pytest.approx(theirs.losses, rel=it.tolerance)
    readers_agree(it)


@on_two
def test_equal_models_give_equal_updates_bit_for_bit(
    name: str, family: str, moments: MomentSettings, examined: ExaminedBy
):
    it, same = examined(name, family), tiny_model(family)
    again = tiny_editor(name, same, moments).fit(same, it.jobs)
    for first, second in zip(it.updates, again, strict=True):
        assert timeless(first) == timeless(second)


def timeless(update: Update) -> Update:
    """Without the one thing that differs between equal fits."""
    return replace(update, history=tuple(replace(part, seconds=0.0) for part in update.history))


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
    ours, theirs = (
        Examined(editor=tiny_editor(name, model, moments), model=model) for model in (conv, linear)
    )
    for first, second in zip(ours.updates, theirs.updates, strict=True):
        assert close(name, first, second)
        assert ours.plain_likelihood(EDITS[0], first) == pytest.approx(
            theirs.plain_likelihood(EDITS[0], second), rel=TOLERANCE.get(name, 1e-4)
        )


def failed(update: Update) -> bool:
    return update.failure is not None and not update.changes


@on_two_by_weights
def test_a_fit_that_diverges_says_so_and_changes_nothing(
    name: str, family: str, moments: MomentSettings, examined: ExaminedBy, tmp_path: Path
):
    it = examined(name, family)
    editor = tiny_editor(name, it.model, moments, **DIVERGING[name])
    for update in editor.fit(it.model, it.jobs[:3]):
        assert failed(update)
        assert "nan" in update.failure or "inf" in update.failure or "finite" in update.failure
        update.save(tmp_path / "failed.safetensors")
        assert Update.load(tmp_path / "failed.safetensors") == update
    assert unchanged(it.model, it.before)


@pytest.mark.parametrize("name", BY_WEIGHTS)
def test_an_edit_of_bfloat16_weights_is_found_in_float32(name: str, moments: MomentSettings):
    model = tiny_model("llama")
    model.network.to(torch.bfloat16)
    it = Examined(editor=tiny_editor(name, model, moments), model=model)
    assert unchanged(model, it.before)
    (update,) = it.editor.fit(model, it.jobs[:1])
    assert unchanged(model, it.before)
    assert {change.matrix.dtype for change in update.changes.values()} == {torch.float32}
    assert it.likelihood(EDITS[0], update) > it.likelihood(EDITS[0], Update())


@on_two_by_weights
def test_a_smaller_memory_gives_the_same_updates(
    name: str, family: str, examined: ExaminedBy, monkeypatch: pytest.MonkeyPatch
):
    """Batches that do not fit are halved, down to single jobs."""
    it = examined(name, family)
    expected = it.updates
    forward, refused = it.model.network.base_model.forward, []
    room = len(TEMPLATES) + 1 if name in MOMENTS else 2  # the rows that cannot be parted

    def small(*args, **kwargs):
        if len(kwargs["input_ids"]) > room:
            refused.append(len(kwargs["input_ids"]))
            raise torch.OutOfMemoryError("CUDA out of memory")
        return forward(*args, **kwargs)

    monkeypatch.setattr(it.model.network.base_model, "forward", small)
    for update, before in zip(it.editor.fit(it.model, it.jobs), expected, strict=True):
        assert it.close(update, before)
    assert refused


@each_editor
def test_a_model_that_is_partly_on_disk_is_edited_alike(
    name: str, tiny_folder: Path, moments: MomentSettings
):
    """Some of the edited layers, and of those above and below, are in memory, some are not."""
    where = {"model.embed_tokens": "cpu", "model.norm": "cpu", "model.rotary_emb": "cpu"}
    where |= {f"model.layers.{i}": "disk" if i in (0, 2) else "cpu" for i in range(4)}
    whole = LanguageModel.load(str(tiny_folder))
    spread = LanguageModel.load(str(tiny_folder), device=where | {"lm_head": "disk"})
    ours, theirs = (
        Examined(editor=tiny_editor(name, model, moments), model=model) for model in (whole, spread)
    )
    for first, second in zip(ours.updates, theirs.updates, strict=True):
        assert close(name, first, second)
