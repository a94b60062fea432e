"""FT against what the authors' code computes: first batch, losses, changes and probabilities.

A tolerance is ten times the distance of the recorded float32 numbers from the same code in float64
(one draw of what rounding can do, ours being another, and searches carry it on from step to step),
and not less than a floor: 2e-5 for a loss (ten ulps of it), 1e-5 for a probability, 2e-4
for a change. The last is as the golden README has it: Adam's first step is the sign of a gradient,
and one of ten thousand entries whose gradient is as good as 0 may go the other way.
"""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from goldens import Goldens, read_json, relative, stored

from pitfalls.editors.fine_tune import FineTune
from pitfalls.models.reading.readout import Question, target_logprobs
from pitfalls.models.tokens import tokenize_target
from pitfalls.models.weights.changes import Changes
from pitfalls.updates.update import Update

METHOD = "FT"
SPREAD = 10
LOSS, PROBABILITY, CHANGE = 2e-5, 1e-5, 2e-4


@pytest.fixture(scope="module")
def goldens(golden_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Goldens:
    return Goldens(golden_model, tmp_path_factory.mktemp("golden"))


@pytest.fixture(scope="module")
def runs(goldens: Goldens) -> Any:
    return goldens.runs(METHOD)


@pytest.fixture(scope="module")
def fits(goldens: Goldens, runs: Any) -> dict[str, Update]:
    """Every recorded run, all runs of one configuration side by side."""
    made: dict[str, Update] = {}
    for config in dict.fromkeys(run["hparams"] for run in runs.values()):
        keys = [key for key, run in runs.items() if run["hparams"] == config]
        updates = goldens.editor(METHOD, config).fit(
            goldens.model, [goldens.job(key) for key in keys]
        )
        made.update(zip(keys, updates, strict=True))
    return made


def recorded_deviation(goldens: Goldens, key: str, what: str) -> float:
    return float(goldens.deviation["ft"]["runs"][key][what])


def test_the_first_batch_is_tokenized_alike(goldens: Goldens, runs: Any) -> None:
    unknown = goldens.model.tokenizer.unk_token_id
    for key, run in runs.items():
        batch = run["first_batch"]
        editor = goldens.editor(METHOD, run["hparams"])
        assert isinstance(editor, FineTune)
        edits = goldens.job(key).edits[: editor.batch_size]
        assert len(batch["texts"]) == len(edits)
        for i, edit in enumerate(edits):
            prompt, target = tokenize_target(
                goldens.model.tokenizer, batch["texts"][i], edit.new_object.label
            )
            assert batch["texts"][i] == edit.relation.prompt.format(edit.subject.label)
            real = sum(batch["attention_mask"][i])
            assert list(prompt) == batch["input_ids"][i][:real]
            assert batch["last_token_inds"][i] == len(prompt) - 1
            counted = zip(batch["target_ids"][i], batch["loss_mask"][i], strict=True)
            assert [t for t, on in counted if on] == [t for t in target if t != unknown]


def test_losses(goldens: Goldens, runs: Any, fits: dict[str, Update]) -> None:
    for key, run in runs.items():
        atol = max(LOSS, SPREAD * recorded_deviation(goldens, key, "loss_max_abs"))
        (origin,) = fits[key].history
        assert list(origin.losses) == pytest.approx(run["losses"], abs=atol, rel=0), key


def test_recorded_changes(goldens: Goldens, fits: dict[str, Update]) -> None:
    recorded = {n: t for n, t in goldens.tensors(METHOD).items() if "/delta/" in n}
    assert recorded
    for name, tensor in recorded.items():
        key, _, weight = name.partition("/delta/")
        known = goldens.deviation["ft"]["tensors"][name]["rel_fro"]
        ours = stored(weight, fits[key].changes[weight].matrix, goldens.model)
        assert relative(ours, tensor) <= max(CHANGE, SPREAD * known), name


def test_summaries_of_all_changes(goldens: Goldens, runs: Any, fits: dict[str, Update]) -> None:
    for key, run in runs.items():
        assert fits[key].changes.keys() == run["delta_summary"].keys()
        for weight, summary in run["delta_summary"].items():
            ours = stored(weight, fits[key].changes[weight].matrix, goldens.model)
            norm, size = summary["fro"], math.sqrt(ours.numel())
            assert ours.norm().item() == pytest.approx(norm, rel=CHANGE), key
            assert ours.abs().max().item() == pytest.approx(summary["abs_max"], rel=CHANGE), key
            assert ours.double().sum().item() == pytest.approx(
                summary["sum"], rel=0, abs=CHANGE * norm * size
            ), key
            # Of single entries only that most agree: one may have gone the other way.
            first = torch.tensor(summary["first_row_first_8"])
            gaps = (ours.flatten()[: len(first)] - first).abs() / summary["abs_max"]
            assert gaps.median() <= CHANGE, key


def probabilities(goldens: Goldens, key: str, changes: Changes) -> list[float]:
    """Probabilities of every edit of the run, after its rewrite prompt and the paraphrases."""
    questions = [
        Question(prompt, edit.new_object.label, changes)
        for edit, prompts in zip(goldens.job(key).edits, prompts_of(goldens, key), strict=True)
        for prompt in prompts
    ]
    return [logp.mean().exp().item() for logp in target_logprobs(goldens.model, questions)]


def prompts_of(goldens: Goldens, key: str) -> list[list[str]]:
    pre, run = read_json(goldens.folder / "eval_pre.json"), key.split("/")[1]
    if run == "mle":
        return [pre["mle_prompts"]] * len(goldens.requests["mle_batch"])
    if run == "distinct":
        return [pre["prompts"][i] for i in goldens.requests["distinct_batch"]]
    return [pre["prompts"][int(run.removeprefix("req"))]]


@pytest.mark.parametrize("how", ["rows", "weights"])
def test_probabilities_after_the_edit(
    goldens: Goldens, runs: Any, fits: dict[str, Update], how: str
) -> None:
    for key, run in runs.items():
        if how == "rows":
            ours = probabilities(goldens, key, fits[key].changes)
        else:
            with fits[key].applied(goldens.model):
                ours = probabilities(goldens, key, {})
        expected = [p for one in run["eval_post"] for p in (one["rewrite"], *one["generation"])]
        known = recorded_deviation(goldens, key, "eval_post_max_rel")
        assert ours == pytest.approx(expected, rel=max(PROBABILITY, SPREAD * known)), key
