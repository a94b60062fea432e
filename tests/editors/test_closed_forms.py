"""Identities between closed forms of MEMIT's kind, on random matrices and with fixed keys."""

from dataclasses import dataclass

import pytest
import torch
from table import tiny_editor
from torch import Tensor

from pitfalls.editors.editor import Job
from pitfalls.editors.insertion.equations import batch_insertion
from pitfalls.editors.insertion.moment_factors import MomentFactor
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.moments import MomentSettings
from pitfalls.testing import EDITS, FAMILY_KINDS, LONG, distance
from pitfalls.updates.update import Update

pytestmark = pytest.mark.families(FAMILY_KINDS[:2])

LAM = 0.7


@dataclass
class Layer:
    """A matrix, second moments, and six pairs of a key and a value."""

    W: Tensor
    C: Tensor
    K: Tensor
    V: Tensor

    @property
    def factor(self) -> MomentFactor:
        return MomentFactor(torch.linalg.cholesky(self.C))

    def edited(self, chosen: list[int], *, slack: float = 1.0) -> Tensor:
        """W after the chosen pairs in one batch."""
        K, V = self.K[:, chosen], self.V[:, chosen]
        change = batch_insertion(K, V - self.W @ K, self.factor, LAM, slack=slack)
        return self.W + change.matrix.double()


@pytest.fixture
def layer() -> Layer:
    drawn = torch.Generator().manual_seed(4)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=drawn).double()

    text = draw(12, 40)
    return Layer(W=draw(8, 12), C=text @ text.mT / 40, K=draw(12, 6), V=draw(8, 6))


def close(first: Tensor, second: Tensor) -> bool:
    return bool((first - second).norm() <= 1e-6 * second.norm())


def test_batch_insertion_is_the_dense_solution(layer: Layer) -> None:
    R = layer.V - layer.W @ layer.K
    dense = R @ layer.K.mT @ torch.linalg.inv(LAM * layer.C + layer.K @ layer.K.mT)
    assert close(layer.edited(list(range(6))), layer.W + dense)


def test_slack_is_a_factor_of_the_weight(layer: Layer) -> None:
    """EMMET is MEMIT with the weight λ·λe."""
    R = layer.V - layer.W @ layer.K
    emmet = batch_insertion(layer.K, R, layer.factor, LAM, slack=0.3)
    memit = batch_insertion(layer.K, R, layer.factor, LAM * 0.3)
    assert close(emmet.matrix.double(), memit.matrix.double())


def test_values_are_met_exactly_without_slack(layer: Layer) -> None:
    assert close(layer.edited([0], slack=0.0) @ layer.K[:, :1], layer.V[:, :1])
    assert close(layer.edited([0, 1, 2], slack=0.0) @ layer.K[:, :3], layer.V[:, :3])
    nearly = layer.edited([0], slack=1e-9)
    assert close(nearly, layer.edited([0], slack=0.0))


def test_a_sequence_with_a_history_of_keys_is_the_solution_at_one_time(layer: Layer) -> None:
    """Batches one after the other, each with the keys before it: MEMIT-seq."""
    W, seen = layer.W, 0
    for until in (2, 3, 6):
        K = layer.K[:, seen:until]
        residual = layer.V[:, seen:until] - W @ K
        keys = torch.cat([K, layer.K[:, :seen]], 1)
        W = W + batch_insertion(keys, residual, layer.factor, LAM).matrix.double()
        seen = until
    assert close(W, layer.edited(list(range(6))))


@pytest.mark.parametrize("out", range(6))
def test_an_earlier_pair_is_taken_out_exactly(layer: Layer, out: int) -> None:
    """W − (v − Wk) kᵀS / (1 − kᵀSk) with S = (λC + KKᵀ)⁻¹ is the solution without (k, v)."""
    W = layer.edited(list(range(6)))
    S = torch.linalg.inv(LAM * layer.C + layer.K @ layer.K.mT)
    k, v = layer.K[:, out], layer.V[:, out]
    without = W - torch.outer(v - W @ k, k @ S) / (1 - k @ S @ k)
    assert close(without, layer.edited([i for i in range(6) if i != out]))


def fitted(name: str, model: LanguageModel, moments: MomentSettings, n: int, **to: float) -> Update:
    editor = tiny_editor(name, model, moments, **to)
    (update,) = editor.fit(model, [Job((*EDITS, LONG)[:n])])
    return update


def test_emmet_on_a_model_is_memit_of_another_weight(
    model: LanguageModel, moments: MomentSettings
) -> None:
    emmet = fitted("emmet", model, moments, 3, moment_weight=2.0, slack=0.25)
    assert distance(emmet, fitted("memit", model, moments, 3, moment_weight=0.5)) <= 1e-6
    assert distance(emmet, fitted("memit", model, moments, 3, moment_weight=2.0)) > 1e-2


def test_slack_plays_no_part_for_a_single_fact(
    model: LanguageModel, moments: MomentSettings
) -> None:
    one, other = (fitted("emmet", model, moments, 1, slack=s) for s in (0.1, 5.0))
    assert distance(one, other) == 0.0


def test_a_weight_of_the_norm_makes_smaller_changes(
    model: LanguageModel, moments: MomentSettings
) -> None:
    plain = fitted("emmet", model, moments, 3)
    lean = fitted("emmet", model, moments, 3, norm_weight=10.0)
    assert all(lean.norms[name] < norm for name, norm in plain.norms.items())
