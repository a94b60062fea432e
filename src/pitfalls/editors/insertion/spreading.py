"""Editors of MEMIT's kind: values searched for at one layer, residuals spread over several."""

import time
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from pitfalls.editors.editor import Job
from pitfalls.editors.insertion.inserting import InsertingEditor
from pitfalls.editors.insertion.keys import subject_traffic
from pitfalls.editors.insertion.multi_label import Insertion, insertions_of, searches_of
from pitfalls.editors.insertion.search_texts import Search
from pitfalls.editors.insertion.value_search import Found, ValueSearch, find_values
from pitfalls.errors import PitfallsError
from pitfalls.facts import Edit
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.mlp_norm import before_mlp_norm
from pitfalls.models.reading.moments import MomentSettings
from pitfalls.models.upload import uploaded
from pitfalls.models.weights.changes import Change, Changes
from pitfalls.progress import SILENT, Progress
from pitfalls.settings import Index
from pitfalls.updates.provenance import Provenance
from pitfalls.updates.update import Update


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Jobs, and the insertions of all of them in one list."""

    model: LanguageModel
    jobs: Sequence[Job]
    insertions: Sequence[tuple[int, Insertion]]
    """Number of the job, and what it inserts; a job's insertions lie together."""

    def rows(self, job: int) -> list[int]:
        """Positions of one job's insertions."""
        return [row for row, (owner, _) in enumerate(self.insertions) if owner == job]


@dataclass(frozen=True, kw_only=True)
class SpreadingEditor(InsertingEditor):
    """The edits of one job are inserted together, by one solve a layer.

    Insertions that share a subject and a prompt share a key, and end at the mean of their values.
    """

    title: ClassVar[str]
    """Name of the method, as people write it."""

    value: ValueSearch = ValueSearch(clamp=0.75)
    """Search for z (MEMIT §4.1)."""
    moments: MomentSettings = MomentSettings()
    """Estimation of C."""
    layers: tuple[Index, ...]
    """The layers that share the change, ascending; z is the output of the last one's block."""

    @abstractmethod
    def solve(
        self,
        model: LanguageModel,
        layer: int,
        K: Float[Tensor, "d_in n"],
        R: Float[Tensor, "d_out n"],
        base: Update,
    ) -> Change:
        """Change of the second MLP matrix of `layer` for one job.

        Args:
            model: the unedited model.
            layer: one of `layers`.
            K: the keys, a column per insertion, averaged over the contexts.
            R: the job's share of the residuals, to be added to each key's value.
            base: the update that the job stands on, and what it carries.
        """

    def insertions(self, edits: Sequence[Edit]) -> list[Insertion]:
        """Values to search for in a job with `edits`."""
        return insertions_of(edits, self.multi_label)

    def searches(
        self,
        model: LanguageModel,
        insertions: Sequence[tuple[Insertion, Changes]],
        contexts: Sequence[str],
    ) -> list[Search]:
        """The value search of every insertion, on a model that carries the changes beside it."""
        return searches_of(model, insertions, contexts)

    def key_edits(self, insertion: Insertion) -> Insertion:
        """Edits of an insertion whose prompts its key and value are averaged over."""
        return insertion[:1]

    def finish(self, batch: Batch, updates: Sequence[Update]) -> list[Update]:
        """The jobs' updates once all layers are written: for editors that carry something along."""
        del batch
        return list(updates)

    @property
    def edited_layers(self) -> tuple[int, ...]:
        """All of them."""
        return self.layers

    def check(self, model: LanguageModel) -> None:
        """Refuse layers that are not ascending or not there."""
        if not self.layers or list(self.layers) != sorted(set(self.layers)):
            raise PitfallsError(
                f"{self.title}'s layers are {self.layers}, expected ascending indices"
            )
        super().check(model)

    def fit(
        self, model: LanguageModel, jobs: Sequence[Job], *, progress: Progress = SILENT
    ) -> list[Update]:
        """One change of rank len(edits) per layer and job."""
        self.check(model)
        insertions = [
            (i, insertion) for i, job in enumerate(jobs) for insertion in self.insertions(job.edits)
        ]
        if not insertions:
            return [Update() for _ in jobs]
        self.prepare(model, progress)
        batch = Batch(model, jobs, insertions)
        name = f"{self.title}, layers {self.layers[0]} to {self.layers[-1]}"
        with progress.stage(name, total=len(insertions), unit="edits") as advance:
            begin = time.perf_counter()
            found = self.values(batch, advance)
            z = torch.stack([value.value for value in found])
            updates = self.finish(batch, self._spread(batch, z))
            share = (time.perf_counter() - begin) / len(insertions)
        return [
            self._outcome(model, job, update, [found[row] for row in batch.rows(i)], share)
            for i, (job, update) in enumerate(zip(jobs, updates, strict=True))
        ]

    def keys(
        self, batch: Batch, on: Sequence[Update], layer: int
    ) -> tuple[Float[Tensor, "n d_in"], Float[Tensor, "n d"]]:
        """Mean keys of all insertions, the bare prompt one half of the mean; the bare values.

        Args:
            batch: the insertions.
            on: for each job, the update that its keys are read on.
            layer: whose second MLP matrix sees the keys.
        """
        contexts = self.contexts.of(batch.model)
        keys, values = subject_traffic(
            batch.model,
            [(edit, c, on[i].only_changes) for i, edit in self._prompts(batch) for c in contexts],
            module=batch.model.mlp_out(layer),
            token_budget=self.key_budget,
        )
        k = keys.unflatten(0, (-1, len(contexts)))
        mean = k[:, 0] if len(contexts) == 1 else (k[:, 0] + k[:, 1:].mean(1)) / 2
        return self._by_insertion(batch, mean), self._by_insertion(batch, values[:: len(contexts)])

    def now(self, batch: Batch, on: Sequence[Update]) -> Float[Tensor, "n d"]:
        """Outputs of the last layer's block after the bare prompts of all insertions.

        Args:
            batch: the insertions.
            on: for each job, the update that the outputs are read on.
        """
        _, now = subject_traffic(
            batch.model,
            [(edit, "{}", on[i].only_changes) for i, edit in self._prompts(batch)],
            module=batch.model.blocks[self.layers[-1]],
            token_budget=self.key_budget,
        )
        return self._by_insertion(batch, now)

    def _prompts(self, batch: Batch) -> list[tuple[int, Edit]]:
        """Job and edit of every prompt that keys and values are read at, insertion by insertion."""
        return [(i, edit) for i, edits in batch.insertions for edit in self.key_edits(edits)]

    def _by_insertion(self, batch: Batch, rows: Float[Tensor, "prompts d"]) -> Float[Tensor, "n d"]:
        """Means over the prompts of each insertion."""
        counts = [len(self.key_edits(edits)) for _, edits in batch.insertions]
        return torch.stack([part.mean(0) for part in rows.split(counts)])

    def values(self, batch: Batch, advance: Callable[[float], None]) -> list[Found]:
        """The z of every insertion, each on its own on top of its job's base."""
        contexts = self.contexts.of(batch.model)
        wanted = [(edits, batch.jobs[i].base.only_changes) for i, edits in batch.insertions]
        return find_values(
            batch.model,
            self.searches(batch.model, wanted, contexts),
            layer=self.layers[-1],
            site="block",
            settings=self.value,
            token_budget=self.token_budget,
            done=advance,
        )

    def _spread(self, batch: Batch, z: Float[Tensor, "n d"]) -> list[Update]:
        """Layer by layer, an equal share of what still misses to z (MEMIT §4.3, Algorithm 1)."""
        model = batch.model
        updates = [Update() for _ in batch.jobs]
        for position, layer in enumerate(self.layers):
            on = [job.base + update for job, update in zip(batch.jobs, updates, strict=True)]
            k, m = self.keys(batch, on, layer)
            residuals = (z - self.now(batch, on)) / (len(self.layers) - position)
            residuals = before_mlp_norm(model, layer, m, residuals)
            weight = f"{model.mlp_out_name(layer)}.weight"
            for i in {job for job, _ in batch.insertions}:
                rows = uploaded(batch.rows(i), k.device)
                base = batch.jobs[i].base
                change = self.solve(model, layer, k[rows].mT, residuals[rows].mT, base)
                updates[i] += Update({weight: change})
        return updates

    def _outcome(
        self, model: LanguageModel, job: Job, update: Update, found: Sequence[Found], share: float
    ) -> Update:
        if not job.edits:
            return Update()
        origin = Provenance.of(
            self,
            job.edits,
            model,
            losses=tuple(loss for value in found for loss in value.losses),
            seconds=share * len(found),
            failure=next((value.failure for value in found if value.failure), None),
        )
        return Update.fitted(update.changes, origin, update.carried)
