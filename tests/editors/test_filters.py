"""Steps behind a fit: +rect and +prune."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from table import tiny_editor

from pitfalls.editors.editor import Job
from pitfalls.editors.fine_tune import FineTune
from pitfalls.editors.modified import ModifiedEditor, weight_before
from pitfalls.editors.names import EditorName
from pitfalls.editors.prune import Prune, restrained
from pitfalls.editors.rect import Rect, largest_relative
from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.moments import MomentSettings
from pitfalls.models.weights.changes import Dense
from pitfalls.testing import EDITS, FAMILY_KINDS, check_editor, distance, unchanged
from pitfalls.testing.comparing import snapshot
from pitfalls.updates.update import Update

pytestmark = pytest.mark.families(FAMILY_KINDS[:2])

FILTERS: dict[str, dict[str, Any]] = {"rect": {"keep": 0.5}, "prune": {"log_base": 1e4}}


def around(
    name: str, model: LanguageModel, moments: MomentSettings, base: str = "memit"
) -> ModifiedEditor:
    kind = {"rect": Rect, "prune": Prune}[name]
    return kind(inner=tiny_editor(base, model, moments), **FILTERS[name])


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("base", ["memit", "alphaedit"])
def test_filters_keep_the_laws(
    name: str, base: str, model: LanguageModel, moments: MomentSettings
) -> None:
    check_editor(around(name, model, moments, base), model)


@pytest.mark.parametrize("name", FILTERS)
def test_they_work_on_dense_changes_and_on_vectors(name: str, model: LanguageModel) -> None:
    inner = FineTune(layer=2, steps=5, lr=5e-3)
    kind = {"rect": Rect, "prune": Prune}[name]
    before = snapshot(model)
    (update,) = kind(inner=inner).fit(model, [Job(EDITS[:1])])
    (plain,) = inner.fit(model, [Job(EDITS[:1])])
    assert update.changes.keys() == plain.changes.keys()
    assert unchanged(model, before)


def test_names_with_filters(model: LanguageModel) -> None:
    made = EditorName.parse("memit+rect+prune").editor(model)
    assert isinstance(made, Prune)
    assert isinstance(made.inner, Rect)
    assert EditorName.parse("alphaedit+rect+mle").multi_label


def test_rect_keeps_the_largest_relative_entries() -> None:
    change = torch.tensor([[1.0, -2.0, 3.0, -4.0, 5.0]])
    weight = torch.tensor([[0.1, 1.0, 100.0, 2.0, 1000.0]])  # ratios 10, 2, 0.03, 2, 0.005
    kept = largest_relative(change, weight, 0.4)
    assert torch.equal(kept, torch.tensor([[1.0, -2.0, 0.0, -4.0, 0.0]]))  # 2.0 twice: a tie stays
    assert torch.equal(largest_relative(change, weight, 1.0), change)


def test_rect_looks_at_the_weight_that_the_job_found(
    model: LanguageModel, moments: MomentSettings
) -> None:
    editor = around("rect", model, moments)
    (plain,) = editor.inner.fit(model, [Job(EDITS[:1])])
    name = next(iter(plain.changes))
    base = Update({name: Dense(10.0 * torch.randn(plain.changes[name].shape))})
    on_none, on_base = (editor.modify(model, Job(EDITS[:1], b), plain) for b in (Update(), base))
    (kept, other) = (each.changes[name].matrix != 0 for each in (on_none, on_base))
    assert kept.sum() == other.sum()
    assert (kept != other).any()
    assert torch.equal(
        weight_before(model, name, base), model.weight(name) + base.changes[name].matrix
    )


def test_restrained_singular_values() -> None:
    left, right = (torch.linalg.qr(torch.randn(6, 6, dtype=torch.float64))[0] for _ in range(2))
    s = torch.tensor([9.0, 4.0, 2.0, 1.0, 0.5, 0.1], dtype=torch.float64)
    D = left @ s.diag() @ right
    after = torch.linalg.svdvals(restrained(D, 2.0, 4.0))
    expected = [2 + torch.tensor(x / 2).log2() / 2 for x in (9.0, 4.0)]
    assert torch.allclose(after[:2].float(), torch.stack(expected))
    assert torch.allclose(after[2:], s[2:])
    assert restrained(D, 9.5, 4.0) is D


def test_prune_leaves_a_change_below_the_bound_as_it_is(
    model: LanguageModel, moments: MomentSettings
) -> None:
    editor = around("prune", model, moments)
    (plain,) = editor.inner.fit(model, [Job(EDITS[:1])])
    small = {n: replace(change, B=1e-3 * change.B) for n, change in plain.changes.items()}
    after = editor.modify(model, Job(EDITS[:1]), replace(plain, changes=small))
    assert dict(after.changes) == small


def test_prune_restrains_the_sum_of_a_sequence_once(
    model: LanguageModel, moments: MomentSettings
) -> None:
    editor = Prune(inner=tiny_editor("memit", model, moments), log_base=1e4)
    (plain,) = editor.inner.fit(model, [Job(EDITS[:1])])
    name = next(iter(plain.changes))
    largest = torch.linalg.matrix_norm(model.weight(name).double(), 2).item()
    long = Update({name: Dense(plain.changes[name].matrix * 3 * largest / plain.norms[name])})
    stream, fitted = Update(), torch.zeros(())
    for factor in (1.0, 0.5, -0.2):
        part = Update({name: Dense(factor * long.changes[name].matrix)})
        stream += editor.modify(model, Job(EDITS[:1], stream), part)
        fitted = fitted + part.changes[name].matrix
        expected = restrained(fitted, largest, 1e4)
        assert not torch.equal(expected, fitted)
        assert (
            distance(Update({name: stream.changes[name]}), Update({name: Dense(expected)})) <= 1e-5
        )


def test_a_change_that_looks_at_the_text_is_refused(
    model: LanguageModel, moments: MomentSettings
) -> None:
    class Looking(Dense):
        """A change without a fixed matrix."""

        @property
        def matrix(self) -> None:
            return None

    name = f"{model.mlp_out_name(1)}.weight"
    update = Update({name: Looking(torch.ones(model.weight(name).shape))})
    for each in FILTERS:
        with pytest.raises(PitfallsError, match="looks at the text"):
            around(each, model, moments).modify(model, Job(EDITS[:1]), update)
