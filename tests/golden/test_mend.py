"""MEND against what the authors' code computes: factors, changes, probabilities, statistics.

In float32 their numbers lie 2e-5 or better from the same code in float64 (relative norm), and ours
may lie as far on the other side.
"""

from functools import cache
from pathlib import Path

import pytest
import torch
from goldens import stored
from mend_goldens import MendGoldens, deviation, labelled
from torch import Tensor

from pitfalls.editors.editor import Job
from pitfalls.editors.gradients import Labelled, gradient_factors
from pitfalls.editors.mend.checkpoint import describe, save_networks
from pitfalls.editors.mend.mend import Compatibility, Mend
from pitfalls.editors.mend.networks import MendNetworks
from pitfalls.models.reading.readout import Question, target_logprobs
from pitfalls.models.weights.changes import LowRank
from pitfalls.updates.update import Update

RELATIVE = 4e-5
ULPS_OF_ONE = 4 * 1.2e-7
"""Tolerance of a cosine. Near 0 it is a sum of products that cancel: float32 rounds by some ulps of
their sizes together, which is 1, and not by some ulps of what is left."""
MODES: dict[str, Compatibility] = {"eval_mode": "authors-eval", "as_released": "authors"}
SUMMARY = ("fro", "abs_max", "sum")


@cache
def of(folder: Path) -> MendGoldens:
    return MendGoldens(folder)


@pytest.fixture
def goldens(golden_model: Path) -> MendGoldens:
    return of(golden_model)


def factors(goldens: MendGoldens, key: str) -> dict[str, tuple[Tensor, Tensor]]:
    """x and δ of every edited matrix in a recorded run, padding and zero rows left out."""
    texts = labelled(goldens.runs[key])
    _, found = gradient_factors(
        goldens.padded_model,
        texts,
        [0] * len(texts),
        [{}] * len(texts),
        goldens.inner_params,
    )
    return {name: (f.x, f.delta) for name, f in found.items()}


@pytest.fixture
def updates(goldens: MendGoldens, tmp_path: Path) -> dict[str, dict[str, Update]]:
    """Mode → run → what the editor gives, by way of a checkpoint file."""
    model, file = goldens.padded_model, tmp_path / "networks.safetensors"
    networks = goldens.networks()
    save_networks(file, networks, describe(model, networks), large=torch.float32)
    made = {}
    for mode, compatibility in MODES.items():
        keys = goldens.keys(mode)
        jobs = [Job(goldens.edits(key)) for key in keys]
        fits = Mend(checkpoint=str(file), compatibility=compatibility).fit(model, jobs)
        made[mode] = dict(zip(keys, fits, strict=True))
    return made


def test_texts_are_the_recorded_tokens(goldens: MendGoldens) -> None:
    for mode in MODES:
        for key in goldens.keys(mode):
            texts = [Labelled.edit(goldens.padded_model, edit) for edit in goldens.edits(key)]
            assert texts == labelled(goldens.runs[key])


def test_inputs_and_gradients(goldens: MendGoldens) -> None:
    recorded = {k.partition("/x/")[0] for k in goldens.tensors if "/x/" in k}
    assert recorded
    for key in recorded:
        for name, (x, delta) in factors(goldens, key).items():
            golden_x = goldens.tensors[f"{key}/x/{name}"].flatten(0, 1)
            golden_delta = goldens.tensors[f"{key}/grad_out/{name}"].flatten(0, 1)
            kept = (golden_x != 0).any(-1) & (golden_delta != 0).any(-1)
            assert deviation(x, golden_x[kept]) < RELATIVE
            assert deviation(delta, golden_delta[kept]) < RELATIVE


def test_norms_of_true_and_transformed_gradients(goldens: MendGoldens) -> None:
    networks = goldens.networks()
    for key in goldens.keys("eval_mode"):
        info = goldens.runs[key]["info"]
        for i, (name, (x, delta)) in enumerate(factors(goldens, key).items()):
            new_x, new_delta = networks(name, x, delta)
            true, pseudo = delta.mT @ x, (new_delta.mT @ new_x).detach()
            cosine = torch.cosine_similarity(true.flatten(), pseudo.flatten(), dim=0).item()
            got = [true.norm().item(), pseudo.norm().item(), (true - pseudo).norm().item()]
            said = [info[f"grad/{what}{i}"] for what in ("true_mag", "pseudo_mag", "diff")]
            assert got == pytest.approx(said, rel=RELATIVE)
            assert cosine == pytest.approx(info[f"grad/cos{i}"], rel=RELATIVE, abs=ULPS_OF_ONE)


def test_transformed_factors(goldens: MendGoldens) -> None:
    recorded = {k.partition("/factor_u/")[0] for k in goldens.tensors if "/factor_u/" in k}
    for key in sorted(key for key in recorded if key.startswith("eval_mode")):
        networks = goldens.networks()
        for name, (x, delta) in factors(goldens, key).items():
            u, v = networks(name, x, delta)
            assert deviation(u, goldens.tensors[f"{key}/factor_u/{name}"]) < RELATIVE
            assert deviation(v, goldens.tensors[f"{key}/factor_v/{name}"]) < RELATIVE


def test_statistics_that_run_on_as_released(goldens: MendGoldens) -> None:
    networks = goldens.networks().train()
    networks.forget()
    checked = set()
    for key in goldens.keys("as_released"):
        for name, (x, delta) in factors(goldens, key).items():
            u, v = networks(name, x, delta)
            for part, got in (("factor_u", u), ("factor_v", v)):
                if (expected := goldens.tensors.get(f"{key}/{part}/{name}")) is not None:
                    assert deviation(got, expected) < RELATIVE
                    checked.add(part)
        checked |= check_statistics(goldens, key, networks)
    for shape, transform in networks.mend.items():
        assert transform.k.tolist() == goldens.runs["as_released_k_after"][f"{shape}.k"]
    assert {"factor_u", "factor_v", "statistics"} <= checked


def check_statistics(goldens: MendGoldens, key: str, networks: MendNetworks) -> set[str]:
    prefix = f"{key}/normaliser_after/"
    found = {k.removeprefix(prefix): t for k, t in goldens.tensors.items() if k.startswith(prefix)}
    buffers = dict(networks.mend.named_buffers())
    for name, expected in found.items():
        assert deviation(buffers[name], expected) < RELATIVE, (key, name)
    return {"statistics"} if found else set()


def test_changes(goldens: MendGoldens, updates: dict[str, dict[str, Update]]) -> None:
    for mode, runs in updates.items():
        for key, update in runs.items():
            assert sorted(update) == sorted(goldens.runs[key]["changed"])
            for name, said in goldens.runs[key]["delta_summary"].items():
                change = update.changes[name]
                assert isinstance(change, LowRank)
                assert change.A.shape[0] == said["n_rows"]
                stored = stored_layout(goldens, name, change)
                if (expected := goldens.tensors.get(f"{key}/delta/{name}")) is not None:
                    assert deviation(stored, expected) < RELATIVE, (mode, key, name)
                check_summary(stored, said)


def stored_layout(goldens: MendGoldens, name: str, change: LowRank) -> Tensor:
    """ΔW in the shape of the parameter."""
    return stored(name, change.matrix, goldens.padded_model)


def check_summary(matrix: Tensor, said: dict[str, float | list[float]]) -> None:
    entry = RELATIVE * said["abs_max"]  # what rounding may do to a single entry
    assert matrix.norm().item() == pytest.approx(said["fro"], rel=RELATIVE)
    assert matrix.abs().max().item() == pytest.approx(said["abs_max"], rel=RELATIVE)
    bound = RELATIVE * said["fro"] * matrix.numel() ** 0.5  # of a sum by Cauchy-Schwarz
    assert matrix.double().sum().item() == pytest.approx(said["sum"], abs=bound)
    first = matrix.flatten()[: len(said["first_8"])].tolist()
    assert first == pytest.approx(said["first_8"], abs=entry)


def test_probabilities_after_the_edit(
    goldens: MendGoldens, updates: dict[str, dict[str, Update]]
) -> None:
    for runs in updates.values():
        for key, update in runs.items():
            said = goldens.runs[key]["eval_post"]
            for edit, prompts, expected in zip(
                goldens.edits(key), goldens.prompts(key), said, strict=True
            ):
                questions = [Question(p, edit.new_object.label, update.changes) for p in prompts]
                answers = target_logprobs(goldens.padded_model, questions)
                got = [logprobs.mean().exp().item() for logprobs in answers]
                want = [expected["rewrite"], *expected["generation"]]
                assert got == pytest.approx(want, rel=2 * RELATIVE)


def test_probabilities_before_the_edit_with_a_padding_token(goldens: MendGoldens) -> None:
    for i, said in enumerate(goldens.runs["padded_eval_pre"]):
        (edit,), (prompts,) = goldens.edits(f"req{i}"), goldens.prompts(f"req{i}")
        questions = [Question(prompt, edit.new_object.label, {}) for prompt in prompts]
        answers = target_logprobs(goldens.padded_model, questions)
        got = [logprobs.mean().exp().item() for logprobs in answers]
        assert got == pytest.approx([said["rewrite"], *said["generation"]], rel=RELATIVE)
