"""Editors of ROME's kind: a rank-one change of one matrix for every value."""

import time
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from pitfalls.editors.editor import Job
from pitfalls.editors.insertion.equations import rank_one_insertion
from pitfalls.editors.insertion.in_turn import insert_in_turn
from pitfalls.editors.insertion.inserting import InsertingEditor
from pitfalls.editors.insertion.keys import subject_traffic
from pitfalls.editors.insertion.moment_factors import moment_factors
from pitfalls.editors.insertion.multi_label import Insertion, insertions_of, searches_of
from pitfalls.editors.insertion.value_search import find_values
from pitfalls.models.language_model import LanguageModel
from pitfalls.progress import SILENT, Progress
from pitfalls.settings import Index
from pitfalls.updates.provenance import Provenance
from pitfalls.updates.update import Update


@dataclass(frozen=True, slots=True, eq=False)
class Associations:
    """Keys and the values that the matrix gives for them, a row per insertion."""

    keys: Float[Tensor, "n d_in"]
    values: Float[Tensor, "n d_out"]


@dataclass(frozen=True, slots=True, eq=False)
class SeenKeys:
    """Keys and values at the subject's last token before the edit, a row per insertion."""

    mean: Associations
    """Averaged over the contexts."""
    bare: Associations
    """Those of the bare prompt."""


@dataclass(frozen=True, kw_only=True)
class RankOneEditor(InsertingEditor):
    """Several edits of one job are made one after the other, each seeing the ones before."""

    title: ClassVar[str]
    """Name of the method, as people write it."""

    layer: Index
    """l*, the layer whose second MLP matrix is changed."""

    @abstractmethod
    def key(self, seen: SeenKeys) -> Associations:
        """Key k whose value becomes v* exactly, and its value W k now."""

    @abstractmethod
    def direction_key(self, seen: SeenKeys) -> Float[Tensor, "n d_in"]:
        """Key k* that the change follows: ΔW is a multiple of v* − W k times (C⁻¹k*)ᵀ."""

    @property
    def edited_layers(self) -> tuple[int, ...]:
        """The one layer."""
        return (self.layer,)

    def fit(
        self, model: LanguageModel, jobs: Sequence[Job], *, progress: Progress = SILENT
    ) -> list[Update]:
        """One rank-one change per edit, summed up per job."""
        self.check(model)
        insertions = [insertions_of(job.edits, self.multi_label) for job in jobs]
        n_edits = sum(map(len, insertions))
        if n_edits:
            self.prepare(model, progress)
        name = f"{self.title}, layer {self.layer}"
        with progress.stage(name, total=n_edits, unit="edits") as advance:
            return insert_in_turn(jobs, insertions, lambda now: self._insert(model, now, advance))

    def _insert(
        self,
        model: LanguageModel,
        wanted: Sequence[tuple[Insertion, Update]],
        advance: Callable[[float], None],
    ) -> list[Update]:
        """One insertion on top of one update, for each of them, side by side."""
        begin = time.perf_counter()
        contexts = self.contexts.of(model)
        seen = self._seen(model, wanted, contexts)
        key, directions = self.key(seen), self._directions(model, self.direction_key(seen))
        found = find_values(
            model,
            searches_of(model, [(edits, base.only_changes) for edits, base in wanted], contexts),
            layer=self.layer,
            site="mlp",
            settings=self.value,
            token_budget=self.token_budget,
            done=advance,
        )
        share = (time.perf_counter() - begin) / len(wanted)
        name = f"{model.mlp_out_name(self.layer)}.weight"
        updates = []
        for (edits, _), v, k, Wk, u in zip(
            wanted, found, key.keys, key.values, directions, strict=True
        ):
            change = rank_one_insertion(k=k, v=v.value, Wk=Wk, u=u)
            origin = Provenance.of(
                self, edits, model, losses=v.losses, seconds=share, failure=v.failure
            )
            updates.append(Update.fitted({name: change}, origin))
        return updates

    def _seen(
        self,
        model: LanguageModel,
        wanted: Sequence[tuple[Insertion, Update]],
        contexts: Sequence[str],
    ) -> SeenKeys:
        keys, values = subject_traffic(
            model,
            [
                (edit, c, base.only_changes)
                for (edit, *_), base in wanted
                for c in (*contexts, "{}")
            ],
            module=model.mlp_out(self.layer),
            token_budget=self.key_budget,
        )
        keys, values = (each.unflatten(0, (len(wanted), -1)) for each in (keys, values))
        return SeenKeys(
            mean=Associations(keys[:, :-1].mean(1), values[:, :-1].mean(1)),
            bare=Associations(keys[:, -1], values[:, -1]),
        )

    def _directions(
        self, model: LanguageModel, k: Float[Tensor, "n d_in"]
    ) -> Float[Tensor, "n d_in"]:
        """The directions u = C⁻¹k* / ‖C⁻¹k*‖, one per row."""
        if self.moments is not None:
            factors = moment_factors(model, self.edited_layers, self.moments)
            k = factors[self.layer].solve(k.mT).mT.float()
        return k / k.norm(dim=1, keepdim=True)
