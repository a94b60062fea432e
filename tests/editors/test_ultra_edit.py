"""UltraEdit: running statistics, the ridge step, and what a chain of edits carries."""

from dataclasses import replace

import pytest
import torch
from table import tiny_editor

from pitfalls.editors.editor import Job
from pitfalls.editors.running_statistics import RunningStatistics
from pitfalls.editors.table import editor_for
from pitfalls.editors.ultra_edit import UltraEdit, ridge_step
from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.moments import MomentSettings
from pitfalls.testing import EDITS, FAMILY_KINDS, LONG, distance
from pitfalls.updates.update import Update

pytestmark = pytest.mark.families(FAMILY_KINDS[:2])


@pytest.fixture
def editor(model: LanguageModel, moments: MomentSettings) -> UltraEdit:
    made = tiny_editor("ultraedit", model, moments)
    assert isinstance(made, UltraEdit)
    return made


def fitted(editor: UltraEdit, model: LanguageModel, base: Update | None = None) -> Update:
    (update,) = editor.fit(model, [Job((*EDITS, LONG), base or Update())])
    return update


def test_statistics_of_batches() -> None:
    """The mean is that of all rows; single rows add no variance of their own and no NaN."""
    rows = torch.randn(9, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    seen = RunningStatistics.of(None, rows)
    for part in rows.split([1, 5, 3]):
        seen = seen.seen(part)
    assert torch.allclose(seen.mean, rows.mean(0))
    exact = (rows - rows.mean(0)).square().sum(0)
    too_much = 5 * rows[1:6].var(0) / 5 + 3 * rows[6:].var(0) / 3  # counted m and not m - 1 times
    assert torch.allclose(seen.var, exact + too_much)
    again = RunningStatistics.of(seen.tensor, rows)
    assert torch.equal(again.normalised(rows), seen.normalised(rows))


def test_the_ridge_step_is_the_dense_solution() -> None:
    drawn = torch.Generator().manual_seed(2)
    H, G = torch.randn(5, 7, generator=drawn), torch.randn(5, 3, generator=drawn)
    seen = RunningStatistics.of(None, torch.cat([H, G], 1)).seen(torch.cat([H, G], 1))
    h, g = seen.normalised(torch.cat([H, G], 1)).split([7, 3], 1)
    V = -0.1 * h.square().sum(1, keepdim=True) * g
    dense = torch.linalg.solve(H.double().mT @ H.double() + torch.eye(7), H.double().mT @ V)
    assert torch.allclose(ridge_step(H, G, seen, 0.1).matrix.double(), dense.mT, atol=1e-6)


def test_statistics_run_on_over_a_chain(editor: UltraEdit, model: LanguageModel) -> None:
    first = fitted(editor, model)
    second = fitted(editor, model, first)
    forgetful = fitted(editor, model, replace(first, carried={}))
    assert distance(second, replace(forgetful, carried=second.carried)) > 1e-3
    for name, each in second.carried.items():
        assert each.tensor[0] == 2 * first.carried[name].tensor[0]
        assert torch.equal((first + second).carried[name].tensor, each.tensor)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("batch_size", 1), ("tokens", "all"), ("lr", 5e-4), ("in_layers", ()), ("layers", (1,))],
)
def test_every_setting_has_a_part(
    editor: UltraEdit, model: LanguageModel, setting: str, value: object
) -> None:
    other = replace(editor, **{setting: value})
    assert distance(fitted(editor, model), fitted(other, model)) > 1e-3


def test_losses_are_means_over_batches(editor: UltraEdit, model: LanguageModel) -> None:
    assert len(fitted(editor, model).history[0].losses) == 1
    assert len(fitted(replace(editor, batch_size=3), model).history[0].losses) == 2


def test_layers_that_are_not_ascending_are_refused(model: LanguageModel) -> None:
    for settings in ({"layers": []}, {"layers": [2, 1]}, {"in_layers": [1, 1]}):
        with pytest.raises(PitfallsError, match="expected ascending indices"):
            editor_for("ultraedit", model, settings)
    with pytest.raises(PitfallsError, match="layer 9 does not exist"):
        editor_for("ultraedit", model, {"in_layers": [9]})
