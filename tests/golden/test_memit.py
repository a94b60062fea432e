"""MEMIT against what the authors' code computes: z, keys, the closed form and all layers' changes.

A tolerance is four times the distance of the recorded float32 numbers from the same code in
float64, the two errors of two float32 computations having no reason to point the same way, and not
less than 1e-5.
"""

from pathlib import Path
from typing import Any

import pytest
import torch
from goldens import Goldens, read_json, relative, stored

from pitfalls.editors.insertion.moment_factors import MomentFactor
from pitfalls.editors.memit import Memit
from pitfalls.models.reading.readout import Question, target_logprobs
from pitfalls.models.weights.changes import LowRank
from pitfalls.updates.update import Update

FLOOR = 1e-5
METHOD = "MEMIT"


@pytest.fixture(scope="module")
def goldens(golden_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Goldens:
    return Goldens(golden_model, tmp_path_factory.mktemp("golden"))


@pytest.fixture(scope="module")
def fits(goldens: Goldens) -> dict[str, tuple[Memit, Update]]:
    """Every recorded run, all runs of one configuration side by side."""
    runs = goldens.runs(METHOD)
    made = {}
    for config in dict.fromkeys(key.split("/")[0] for key in runs):
        editor = goldens.editor(METHOD, f"{goldens.folder.name}_{config}")
        assert isinstance(editor, Memit)
        goldens.use_golden_moments(editor.layers)
        keys = [key for key in runs if key.split("/")[0] == config]
        updates = editor.fit(goldens.model, [goldens.job(key) for key in keys])
        made.update({key: (editor, u) for key, u in zip(keys, updates, strict=True)})
    return made


def tolerance(goldens: Goldens, name: str) -> float:
    known: Any = goldens.deviation["memit"]["tensors"].get(name, {"rel_fro": 0.0})
    return max(FLOOR, 4 * float(known["rel_fro"]))


def low_rank(update: Update, editor: Memit, layer: int, goldens: Goldens) -> LowRank:
    change = update.changes[f"{goldens.model.mlp_out_name(layer)}.weight"]
    assert isinstance(change, LowRank)
    return change


def test_losses(goldens: Goldens, fits: dict[str, tuple[Memit, Update]]) -> None:
    for key, run in goldens.runs(METHOD).items():
        expected = [step["total"] for curve in run["loss_curves"] for step in curve]
        _, update = fits[key]
        assert list(update.history[0].losses) == pytest.approx(expected, rel=1e-4), key


def test_residuals_and_adjusted_keys(
    goldens: Goldens, fits: dict[str, tuple[Memit, Update]]
) -> None:
    tensors = goldens.tensors(METHOD)
    for key, (editor, update) in fits.items():
        for layer in editor.layers:
            change, place = low_rank(update, editor, layer, goldens), f"{key}/layer{layer}"
            for ours, name in ((change.B, f"{place}/resid"), (change.A.mT, f"{place}/adj_k")):
                assert relative(ours, tensors[name]) <= tolerance(goldens, name), name


def test_recorded_changes(goldens: Goldens, fits: dict[str, tuple[Memit, Update]]) -> None:
    tensors = goldens.tensors(METHOD)
    recorded = [name for name in tensors if "/delta/" in name]
    assert recorded
    for name in recorded:
        key, _, weight = name.partition("/delta/")
        ours = stored(weight, fits[key][1].changes[weight].matrix, goldens.model)
        assert relative(ours, tensors[name]) <= tolerance(goldens, name), name


def test_norms_of_all_changes(goldens: Goldens, fits: dict[str, tuple[Memit, Update]]) -> None:
    for key, run in goldens.runs(METHOD).items():
        expected = {name: summary["fro"] for name, summary in run["delta_summary"].items()}
        assert fits[key][1].norms == pytest.approx(expected, rel=4e-5), key


def test_probabilities_after_the_edit(
    goldens: Goldens, fits: dict[str, tuple[Memit, Update]]
) -> None:
    prompts = read_json(goldens.folder / "eval_pre.json")
    for key, run in goldens.runs(METHOD).items():
        name = key.split("/")[1]
        if not name.startswith("req"):
            continue
        (edit,) = goldens.job(key).edits
        questions = [
            Question(prompt, edit.new_object.label, fits[key][1].changes)
            for prompt in prompts["prompts"][int(name.removeprefix("req"))]
        ]
        ours = [logp.mean().exp().item() for logp in target_logprobs(goldens.model, questions)]
        (after,) = run["eval_post"]
        assert ours == pytest.approx([after["rewrite"], *after["generation"]], rel=1e-3), key


def test_woodbury_is_the_direct_solve() -> None:
    """(λC + KKᵀ)⁻¹K by a rank-n correction of (λC)⁻¹ and by a fresh factorisation, in float64."""
    torch.manual_seed(0)
    C = torch.randn(64, 640, dtype=torch.float64)
    C, K, lam = C @ C.mT / 640, torch.randn(64, 5, dtype=torch.float64), 15_000.0
    factor = MomentFactor(torch.linalg.cholesky(C))
    G = factor.solve(K) / lam
    ours = G @ torch.linalg.inv(torch.eye(5, dtype=torch.float64) + K.mT @ G)
    direct = torch.linalg.solve(lam * C + K @ K.mT, K)
    assert relative(ours, direct) <= 1e-9
