"""Recorded runs of ROME, fitted by us; `test_rome.py` says how and what is compared."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from goldens import (
    Goldens,
)
from jaxtyping import Float
from torch import Tensor

from pitfalls.editors.insertion import multi_label as multi_label_module
from pitfalls.editors.insertion import rank_one as rank_one_module
from pitfalls.editors.insertion.moment_factors import MomentFactor
from pitfalls.editors.insertion.search_texts import Row
from pitfalls.editors.insertion.value_search import Found, find_values
from pitfalls.editors.rome import Rome
from pitfalls.facts import Edit
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.tokens import Split
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
