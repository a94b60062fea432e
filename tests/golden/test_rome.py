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

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from jaxtyping import Float
from torch import Tensor

from pitfalls.editors.insertion import multi_label as multi_label_module
from pitfalls.editors.insertion import rank_one as rank_one_module
from pitfalls.editors.insertion.keys import subject_traffic
from pitfalls.editors.insertion.moment_factors import MomentFactor
from pitfalls.editors.insertion.search_texts import Row, search_rows
from pitfalls.editors.insertion.value_search import Found, find_values
from pitfalls.editors.rome import Rome
from pitfalls.facts import Edit
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.readout import Question, target_logprobs
from pitfalls.models.tokens import Split, tokenize
from pitfalls.models.weights.changes import Changes, LowRank
from pitfalls.updates.update import Update

METHOD = "ROME"
SPREAD = 10
FLOOR, LOSS, DIRECTION = 1e-5, 2e-5, 2e-4


@dataclass(frozen=True)
class Fit:
    """One recorded run as we make it."""

    editor: Rome
    update: Update
    found: list[Found]
    """v* of each of its edits, in order."""

    @property
    def change(self) -> LowRank:
        (change,) = self.update.changes.values()
        assert isinstance(change, LowRank)
        return change

    def before(self, turn: int) -> Changes:
        """Changes that the model carries when the edit number `turn` is made."""
        (name,) = self.update.changes
        change = LowRank(self.change.B[:, :turn], self.change.A[:turn])
        return {name: change} if turn else {}


@dataclass(frozen=True)
class Fits:
    goldens: Goldens
    way: str
    runs: dict[str, Fit]

    def tolerance(self, key: str, deviation: float, *, floor: float = FLOOR) -> float:
        """See above; `deviation` is the recorded one of the number that is compared."""
        plain = max(floor, SPREAD * deviation)
        if self.way == "recorded" or self.runs[key].editor.moments is None:
            return plain
        return plain + max(deviation, 1e-7) * DIRECTION / self._deviation_of_u(key)

    def _deviation_of_u(self, key: str) -> float:
        known = self.goldens.deviation["rome"]["tensors"]
        return min(float(known[f"{place}/u"]["rel_fro"]) for place in places(self, key))


def places(fits: Fits, key: str) -> list[str]:
    """Where the tensors of each edit of a run are: a run of several numbers them."""
    if not key.endswith("/mle"):
        return [key]
    return [f"{key}/{turn}" for turn in range(len(fits.goldens.job(key).edits))]


@dataclass(frozen=True, eq=False)
class RecordedDirections(MomentFactor):
    """Gives, in place of C⁻¹k*, the u that was recorded for the nearest recorded k*."""

    keys: Float[Tensor, "recorded d_in"]
    directions: Float[Tensor, "recorded d_in"]

    @classmethod
    def of(cls, tensors: dict[str, Tensor], config: str) -> "RecordedDirections":
        here = (name for name in tensors if name.startswith(f"{config}/"))
        runs = [name.removesuffix("/u") for name in here if name.endswith("/u")]
        return cls(
            factor=torch.zeros(0, 0),
            keys=torch.stack([tensors[f"{run}/k_mean"] for run in runs]),
            directions=torch.stack([tensors[f"{run}/u"] for run in runs]),
        )

    def solve(self, k: Float[Tensor, "d_in n"]) -> Float[Tensor, "d_in n"]:
        gaps = torch.cdist(k.mT.contiguous(), self.keys)
        assert (gaps.amin(1) <= 1e-5 * k.norm(dim=0)).all(), "each key is one that was recorded"
        return self.directions[gaps.argmin(1)].mT.double()


def golden_rows(setup: Any) -> tuple[Row, ...]:
    """The rows of one recorded objective, the KL row last, without what nobody reads there."""
    rows = []
    for i, last in enumerate(setup["lookup_idxs"]):
        ids = tuple(setup["input_ids"][i][: sum(setup["attention_mask"][i])])
        kl = i == len(setup["lookup_idxs"]) - 1
        right, labels = (ids[last : last + 1], ()) if kl else (ids[last:], setup["target_ids"])
        rows.append(Row(Split(ids[:last], right), tuple(labels)))
    return tuple(rows)


def setups(goldens: Goldens) -> Iterator[tuple[str, Edit, Any]]:
    """Run, edit and recorded objective, over all edits of all runs."""
    for key, run in goldens.runs(METHOD).items():
        for edit, setup in zip(goldens.job(key).edits, run["setup"], strict=True):
            yield key, edit, setup


def rome_of(goldens: Goldens, config: str) -> Rome:
    editor = goldens.editor(METHOD, config)
    assert isinstance(editor, Rome)
    return editor


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


def fitted(
    goldens: Goldens, model: LanguageModel, editor: Rome, keys: Sequence[str]
) -> dict[str, Fit]:
    """Runs of one configuration, with rows from the recorded ids and every v* noted."""
    recorded = {edit: golden_rows(setup) for key, edit, setup in setups(goldens) if key in keys}
    turns: list[list[Found]] = []

    def rows(model: LanguageModel, edit: Edit, contexts: Sequence[str]) -> tuple[Row, ...]:
        return recorded[edit]

    def noting(*args: Any, **kwargs: Any) -> list[Found]:
        turns.append(find_values(*args, **kwargs))
        return turns[-1]

    jobs = [goldens.job(key) for key in keys]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(multi_label_module, "search_rows", rows)
        patch.setattr(rank_one_module, "find_values", noting)
        updates = editor.fit(model, jobs)
    found: list[list[Found]] = [[] for _ in jobs]
    for turn, values in enumerate(turns):
        waiting = [i for i, job in enumerate(jobs) if turn < len(job.edits)]
        for i, value in zip(waiting, values, strict=True):
            found[i].append(value)
    return {
        key: Fit(editor, update, values)
        for key, update, values in zip(keys, updates, found, strict=True)
    }


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
