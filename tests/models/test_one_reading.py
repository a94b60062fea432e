"""An update is read in a batch exactly as `applied` has it, whatever it changes, or refused."""

import re
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.readout import Question, plain_target_logprobs, target_logprobs
from pitfalls.models.weights.changes import KINDS, Change, Dense, change_of
from pitfalls.updates.update import Update

ASKED = (("Paris lies in", "France"), ("Marie Curie was born in the city of", "Warsaw, Poland"))


def one_of_each_kind(model: LanguageModel) -> list[str]:
    """One parameter of every kind: names differ in more than the block number."""
    middle = model.n_layers // 2
    kinds: dict[str, str] = {}
    for name, _ in model.network.named_parameters():
        kind = re.sub(r"\.\d+\.", ".N.", name)
        if kind not in kinds or f".{middle}." in name:
            kinds[kind] = name
    return list(kinds.values())


@dataclass(frozen=True, slots=True, eq=False)
class Gated(Change):
    """Adds `value` to a linear layer's output wherever its input points in the direction `key`."""

    parts: ClassVar[tuple[str, ...]] = ("key", "value")

    key: Float[Tensor, " d_in"]
    value: Float[Tensor, " d_out"]

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.value), len(self.key))

    def effect(self, x: Float[Tensor, "rows tokens d_in"]) -> Float[Tensor, "rows tokens d_out"]:
        return (x @ self.key > 0).float()[..., None] * self.value

    @property
    def norm(self) -> float:
        return self.value.norm().item()

    def plus(self, later: Change) -> Change:
        raise PitfallsError("one at a time")


def changed(model: LanguageModel, name: str, seed: int) -> Update:
    weight = model.weight(name)
    noise = torch.randn(weight.shape, generator=torch.Generator().manual_seed(seed))
    return Update({name: Dense(0.3 * noise * weight.float().norm() / weight.numel() ** 0.5)})


def test_every_parameter_is_read_as_applied_has_it_or_refused(model: LanguageModel) -> None:
    read, refused, moved = set(), set(), set()
    for seed, name in enumerate(one_of_each_kind(model)):
        update = changed(model, name, seed)
        plain = [Question(*asked, {}) for asked in ASKED]
        beside = [*plain, *(Question(*asked, update.changes) for asked in ASKED)]
        try:
            answers = target_logprobs(model, beside)
        except PitfallsError as error:
            assert name.rpartition(".")[0] in str(error)
            refused.add(name)
            continue
        with update.applied(model):
            expected = plain_target_logprobs(model, plain)
        for ours, theirs, before in zip(answers[2:], expected, answers, strict=False):
            torch.testing.assert_close(ours, theirs, atol=2e-4, rtol=2e-4, msg=name)
            if not torch.allclose(ours, before, atol=1e-3):
                moved.add(name)
        read.add(name)
    inside = {name for name in read if name.startswith(model.architecture.blocks)}
    assert {n for n in refused if n.startswith(model.architecture.blocks)} == set()
    assert len(moved & inside) > len(inside) / 2, "the changes are large enough to be seen"
    norm = {name for name in read if name.startswith(model.architecture.final_norm)}
    assert norm and norm <= moved


def test_a_change_of_what_all_rows_share_is_refused(model: LanguageModel) -> None:
    weights = dict(model.network.named_parameters())
    head = model.network.get_output_embeddings()
    for name, weight in weights.items():
        if weight.shape[0] == len(head.weight) and weight.ndim == 2:
            with pytest.raises(PitfallsError, match="cannot be read beside other edits"):
                target_logprobs(model, [Question(*ASKED[0], changed(model, name, 0).changes)])


def test_a_change_that_looks_at_the_text_is_read_as_applied_has_it(model: LanguageModel) -> None:
    name = f"{model.mlp_out_name(1)}.weight"
    d_out, d_in = model.weight(name).shape
    random = torch.Generator().manual_seed(3)
    gate = Gated(torch.randn(d_in, generator=random), torch.randn(d_out, generator=random))
    update, low = Update({name: gate}), changed(model, name, 4)
    plain = [Question(*asked, {}) for asked in ASKED]
    beside = [Question(*asked, one.changes) for one in (update, low) for asked in ASKED]
    answers = target_logprobs(model, [*plain, *beside])
    with update.applied(model):
        expected = plain_target_logprobs(model, plain)
    for ours, theirs, before in zip(answers[2:], expected, answers, strict=False):
        torch.testing.assert_close(ours, theirs, atol=2e-4, rtol=2e-4)
        assert not torch.allclose(ours, before, atol=1e-3)
    with pytest.raises(PitfallsError, match="no weights hold the whole update"):
        update.commit(model)
    again = change_of(gate.to("cpu").tensors(), kinds=(*KINDS, Gated))
    assert isinstance(again, Gated) and torch.equal(again.key, gate.key)
    with pytest.raises(PitfallsError, match="no LoRA holds"):
        gate.low_rank(2)
