"""ROME against what the authors' code computes: token ids, keys, values, changes, probabilities.

A tolerance is ten times the distance of the recorded float32 numbers from the same code in float64
(one draw of what rounding can do, ours being another, and searches carry it on from step to step),
and not less than 1e-5 (2e-5 for a loss, ten ulps of it).

One number cannot be had so closely. The authors invert C in float32, which moves the direction
u = C⁻¹k*/‖C⁻¹k*‖ by up to 1.3e-4, differently on another processor; we solve with C in float64.
So every run is fitted twice:

`recorded`: with the recorded u, where everything else must agree as said above;
`own`: with our own C and u. There u may be `DIRECTION` off, and what follows from it as much more
as the run is sensitive to u: its own recorded deviation, scaled from the recorded one of u. (An
ill-conditioned run is thus held to little here, and to its full measure with the recorded u.)
"""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from goldens import (
    Goldens,
    golden_search_rows,
    published_rows,
    read_json,
    relative,
    stored,
    tidied,
)
from rome_goldens import (
    LOSS,
    METHOD,
    Fit,
    Fits,
    RecordedDirections,
    fitted,
    golden_rows,
    places,
    rome_of,
    setups,
)
from torch import Tensor

from pitfalls.editors.insertion.keys import subject_traffic
from pitfalls.editors.insertion.search_texts import search_rows
from pitfalls.facts import Edit
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.readout import Question, target_logprobs
from pitfalls.models.tokens import tokenize
from pitfalls.models.weights.changes import Changes


@pytest.fixture(scope="module")
def goldens(golden_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Goldens:
    return Goldens(golden_model, tmp_path_factory.mktemp("golden"))


@pytest.fixture(scope="module", params=["recorded", "own"])
def fits(goldens: Goldens, request: pytest.FixtureRequest) -> Fits:
    """Every run of the folder, all runs of one configuration side by side."""
    runs, made = goldens.runs(METHOD), Fits(goldens, request.param, {})
    for config in dict.fromkeys(run["hparams"] for run in runs.values()):
        keys = [key for key, run in runs.items() if run["hparams"] == config]
        editor = rome_of(goldens, config)
        model = LanguageModel.wrap(
            goldens.model.network, goldens.model.tokenizer, name=goldens.model.name
        )
        if made.way == "recorded" and editor.moments is not None:
            directions = RecordedDirections.of(goldens.tensors(METHOD), keys[0].split("/")[0])
            factors = {editor.layer: directions}
            model.remember(
                ("moment factors", (editor.layer,), editor.moments), lambda made=factors: made
            )
        made.runs.update(fitted(goldens, model, editor, keys))
    return made


def test_token_ids(goldens: Goldens) -> None:
    """Ours are the authors' wherever the text is; it is another only where theirs was tidied.

    What is said of theirs in `published_rows` holds for every edit, ours where it is said to.
    """
    tokenizer, same = goldens.model.tokenizer, 0
    templates = goldens.hparams["rome_templates"]
    for key, edit, setup in setups(goldens):
        ours, golden = golden_search_rows(goldens.model, edit, templates), golden_rows(setup)
        assert published_rows(goldens.model, edit, templates) == golden, key
        assert len(ours) == len(golden) == len(setup["prompts"])
        assert all(row.labels == tuple(setup["target_ids"]) for row in ours[:-1]), key
        piece = tokenizer.decode(setup["target_ids"][:-1])
        for row, theirs, text in zip(ours, golden, setup["prompts"], strict=True):
            assert len(row.split.left) == len(theirs.split.left), (key, text)
            if row == theirs:
                same += 1
            else:
                assert piece != tidied(piece), (key, text)
                assert text.endswith(tidied(piece)), (key, text)
    assert same


def test_a_target_whose_last_token_cuts_a_character_has_its_labels_elsewhere(
    goldens: Goldens,
) -> None:
    model = goldens.model
    whole, cut = (
        Edit.of("{} was taught by", subject="Ada", target=target) for target in ("Paris", "東京")
    )
    assert golden_search_rows(model, whole, ["{}"]) == search_rows(model, whole, ["{}"])
    (ours, _), (theirs, _) = search_rows(model, cut, ["{}"]), golden_search_rows(model, cut, ["{}"])
    assert ours.labels == theirs.labels
    joint = tokenize(model.tokenizer, "Ada was taught by 東京").ids
    assert (*ours.split.left, *ours.split.right, ours.labels[-1]) == joint
    assert len(theirs.split.right) > len(ours.split.right)


def test_labels_are_read_at_the_last_tokens(goldens: Goldens) -> None:
    for key, _, setup in setups(goldens):
        for i, row in enumerate(golden_rows(setup)):
            targets = setup["rewriting_targets"][i : i + 1] if row.labels else []
            for recorded in targets:
                ids = [t for t in recorded if t != -100]
                end = len(row.split.left) + len(row.split.right)
                assert ids == list(row.labels), key
                assert recorded[end - len(ids) : end] == ids, key


def test_losses(goldens: Goldens, fits: Fits) -> None:
    for key, run in goldens.runs(METHOD).items():
        known = goldens.deviation["rome"]["runs"][key]["loss_max_abs"]
        expected = [step["total"] for step in run["loss_curve"]]
        ours = [loss for part in fits.runs[key].update.history for loss in part.losses]
        atol = fits.tolerance(key, known, floor=LOSS)
        assert ours == pytest.approx(expected, abs=atol, rel=0), key


def compare(fits: Fits, of: Callable[[Fit, Edit, int], dict[str, Tensor]]) -> None:
    """The named tensors of every edit of every run with the recorded ones."""
    tensors, known = fits.goldens.tensors(METHOD), fits.goldens.deviation["rome"]["tensors"]
    for key, fit in fits.runs.items():
        edits = fits.goldens.job(key).edits
        for turn, (edit, place) in enumerate(zip(edits, places(fits, key), strict=True)):
            for what, ours in of(fit, edit, turn).items():
                name = f"{place}/{what}"
                gap, limit = relative(ours, tensors[name]), known[name]["rel_fro"]
                assert gap <= fits.tolerance(key, limit), (name, gap)


def test_keys(goldens: Goldens, fits: Fits) -> None:
    """k* over the templates, and what the edited matrix takes in and gives at the bare prompt."""

    def keys(fit: Fit, edit: Edit, turn: int) -> dict[str, Tensor]:
        contexts = (*fit.editor.contexts.templates, "{}")
        k, v = subject_traffic(
            goldens.model,
            [(edit, context, fit.before(turn)) for context in contexts],
            module=goldens.model.mlp_out(fit.editor.layer),
            token_budget=4096,
        )
        return {"k_mean": k[:-1].mean(0), "cur_input": k[-1], "cur_output": v[-1]}

    compare(fits, keys)


def test_values(fits: Fits) -> None:
    def values(fit: Fit, edit: Edit, turn: int) -> dict[str, Tensor]:
        found = fit.found[turn]
        return {"target_init": found.initial, "delta_v": found.delta, "v_star": found.value}

    compare(fits, values)


def test_directions_and_residuals(fits: Fits) -> None:
    """u and v of ΔW = v uᵀ."""

    def factors(fit: Fit, edit: Edit, turn: int) -> dict[str, Tensor]:
        return {"u": fit.change.A[turn], "v": fit.change.B[:, turn]}

    compare(fits, factors)


def test_recorded_changes(goldens: Goldens, fits: Fits) -> None:
    recorded = {n: t for n, t in goldens.tensors(METHOD).items() if "/delta/" in n}
    assert recorded
    for name, tensor in recorded.items():
        key, _, weight = name.partition("/delta/")
        known = goldens.deviation["rome"]["tensors"][name]["rel_fro"]
        ours = stored(weight, fits.runs[key].update.changes[weight].matrix, goldens.model)
        assert relative(ours, tensor) <= fits.tolerance(key, known), name


def test_summaries_of_all_changes(goldens: Goldens, fits: Fits) -> None:
    known = goldens.deviation["rome"]["tensors"]
    for key, run in goldens.runs(METHOD).items():
        fit = fits.runs[key]
        assert fit.update.changes.keys() == run["delta_summary"].keys()
        limit = max(known[f"{p}/{part}"]["rel_fro"] for p in places(fits, key) for part in "uv")
        rel = fits.tolerance(key, limit)
        for weight, summary in run["delta_summary"].items():
            ours = stored(weight, fit.update.changes[weight].matrix, goldens.model)
            assert fit.update.norms[weight] == pytest.approx(summary["fro"], rel=rel), key
            largest = summary["abs_max"]
            assert ours.abs().max().item() == pytest.approx(largest, rel=4 * rel), key
            first = torch.tensor(summary["first_row_first_8"])
            gaps = (ours.flatten()[: len(first)] - first).abs()
            assert gaps.max() <= 4 * rel * largest, key


def prompts_of(goldens: Goldens, key: str) -> list[list[str]]:
    pre, run = read_json(goldens.folder / "eval_pre.json"), key.split("/")[1]
    if run == "mle":
        return [pre["mle_prompts"]] * len(goldens.requests["mle_batch"])
    return [pre["prompts"][int(run.removeprefix("req"))]]


def probabilities(goldens: Goldens, key: str, changes: Changes) -> list[float]:
    """Probabilities of every edit of the run, after its rewrite prompt and the paraphrases."""
    questions = [
        Question(prompt, edit.new_object.label, changes)
        for edit, prompts in zip(goldens.job(key).edits, prompts_of(goldens, key), strict=True)
        for prompt in prompts
    ]
    return [logp.mean().exp().item() for logp in target_logprobs(goldens.model, questions)]


@pytest.mark.parametrize("how", ["rows", "weights"])
def test_probabilities_after_the_edit(goldens: Goldens, fits: Fits, how: str) -> None:
    for key, run in goldens.runs(METHOD).items():
        update = fits.runs[key].update
        if how == "rows":
            ours = probabilities(goldens, key, update.changes)
        else:
            with update.applied(goldens.model):
                ours = probabilities(goldens, key, {})
        expected = [p for one in run["eval_post"] for p in (one["rewrite"], *one["generation"])]
        known = goldens.deviation["rome"]["runs"][key]["eval_post_max_rel"]
        assert ours == pytest.approx(expected, rel=fits.tolerance(key, known)), key
