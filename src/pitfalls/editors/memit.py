"""MEMIT: many facts at once, spread over several layers (Meng et al. 2023)."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from pitfalls.editors.editor import Editor, Job
from pitfalls.editors.insertion.contexts import Contexts
from pitfalls.editors.insertion.equations import batch_insertion
from pitfalls.editors.insertion.keys import subject_traffic
from pitfalls.editors.insertion.moment_factors import estimates, moment_factors
from pitfalls.editors.insertion.multi_label import (
    MultiLabel,
    Request,
    expected_searches,
    requests_of,
    searches_of,
)
from pitfalls.editors.insertion.value_search import Found, ValueSearch, find_values
from pitfalls.errors import PitfallsError
from pitfalls.facts import Edit
from pitfalls.models.cost import Cost
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.mlp_norm import before_mlp_norm
from pitfalls.models.reading.moments import Estimate, MomentSettings
from pitfalls.models.weights.changes import Changes
from pitfalls.progress import SILENT, Progress
from pitfalls.settings import Count, Index, Positive
from pitfalls.updates.update import Provenance, Update


@final
@dataclass(frozen=True, kw_only=True)
class Memit(Editor):
    """Mass-editing memory: a value z per fact at the last layer, written into all of `layers`.

    Choose it for batches: the edits of one job are inserted together, by one least-squares solve a
    layer. Requests that share a subject and a prompt share a key, and end at the mean of their z's.
    """

    layers: tuple[Index, ...]
    """The layers that share the change, ascending; z is the output of the last one's block."""
    value: ValueSearch = ValueSearch(clamp=0.75)
    """How z is searched for (§4.1)."""
    contexts: Contexts = Contexts()
    """What keys and values are averaged over. In a key the first template, the bare prompt, weighs
    as much as all the others together."""
    moments: MomentSettings = MomentSettings()
    """How C is estimated."""
    moment_weight: Positive = 15_000.0
    """λ, how much the old associations weigh against the new ones (§4.2)."""
    multi_label: MultiLabel = "separate"
    """How edits of one job that share subject and prompt are made (paper §4.4)."""
    token_budget: Count = 768
    """The most padded tokens that one forward pass of the search replays."""
    key_budget: Count = 4096
    """The most padded tokens in one forward pass that reads keys."""

    def check(self, model: LanguageModel) -> None:
        """Refuse layers that are not ascending or not there."""
        if not self.layers or list(self.layers) != sorted(set(self.layers)):
            raise PitfallsError(f"MEMIT's layers are {self.layers}, expected ascending indices")
        for layer in self.layers:
            model.mlp_out_name(layer)

    def templates(self, model: LanguageModel) -> tuple[str, ...]:
        """The context templates."""
        return self.contexts.of(model)

    def estimates(
        self, model: LanguageModel, *, progress: Progress = SILENT
    ) -> dict[int, Estimate]:
        """How C was estimated, layer by layer."""
        return estimates(model, self.layers, self.moments, progress=progress)

    def cost(self, model: LanguageModel, edits: Sequence[Edit]) -> Cost:
        """The searches for z, and for each layer the keys."""
        searches = expected_searches(model, edits, self.multi_label, self.contexts)
        keys = Cost(sum(self.layers) * sum(search.whole_length for search in searches))
        return sum((self.value.cost(model, search, self.layers[-1]) for search in searches), keys)

    def fit(
        self, model: LanguageModel, jobs: Sequence[Job], *, progress: Progress = SILENT
    ) -> list[Update]:
        """One change of rank len(edits) per layer and job."""
        self.check(model)
        requests = [
            (i, request)
            for i, job in enumerate(jobs)
            for request in requests_of(job.edits, self.multi_label)
        ]
        if not requests:
            return [Update() for _ in jobs]
        moment_factors(model, self.layers, self.moments, progress=progress)  # a stage of its own
        name = f"MEMIT, layers {self.layers[0]} to {self.layers[-1]}"
        with progress.stage(name, total=len(requests), unit="edits") as advance:
            begin = time.perf_counter()
            found = self._values(model, jobs, requests, advance)
            updates = self._insert(model, jobs, requests, [value.value for value in found])
            share = (time.perf_counter() - begin) / len(requests)
        return [
            self._outcome(model, job, update, [found[row] for row in _rows(requests, i)], share)
            for i, (job, update) in enumerate(zip(jobs, updates, strict=True))
        ]

    def _values(
        self,
        model: LanguageModel,
        jobs: Sequence[Job],
        requests: Sequence[tuple[int, Request]],
        advance: Callable[[float], None],
    ) -> list[Found]:
        """The z of every request, each on its own on top of its job's base."""
        contexts = self.contexts.of(model)
        return find_values(
            model,
            searches_of(model, [(r, jobs[i].base.changes) for i, r in requests], contexts),
            layer=self.layers[-1],
            site="block",
            settings=self.value,
            token_budget=self.token_budget,
            done=advance,
        )

    def _insert(
        self,
        model: LanguageModel,
        jobs: Sequence[Job],
        requests: Sequence[tuple[int, Request]],
        z: Sequence[Float[Tensor, " d"]],
    ) -> list[Update]:
        """Layer by layer, an equal share of what still misses to z (§4.3, Algorithm 1)."""
        factors = moment_factors(model, self.layers, self.moments)
        updates = [Update() for _ in jobs]
        for position, layer in enumerate(self.layers):
            carried = [
                (job.base + update).changes for job, update in zip(jobs, updates, strict=True)
            ]
            k, m = self._keys(model, requests, carried, layer)
            _, now = subject_traffic(
                model,
                [(edit, "{}", carried[i]) for i, (edit, *_) in requests],
                module=model.blocks[self.layers[-1]],
                token_budget=self.key_budget,
            )
            share = (torch.stack(list(z)) - now) / (len(self.layers) - position)
            share = before_mlp_norm(model, layer, m, share)
            weight = f"{model.mlp_out_name(layer)}.weight"
            for i in {job for job, _ in requests}:
                rows = _rows(requests, i)
                change = batch_insertion(
                    k[rows].mT, share[rows].mT, factors[layer], self.moment_weight
                )
                updates[i] += Update({weight: change})
        return updates

    def _keys(
        self,
        model: LanguageModel,
        requests: Sequence[tuple[int, Request]],
        carried: Sequence[Changes],
        layer: int,
    ) -> tuple[Float[Tensor, "n d_in"], Float[Tensor, "n d"]]:
        """Mean keys, the bare prompt one half of the mean; and the bare prompt's value."""
        contexts = self.contexts.of(model)
        keys, values = subject_traffic(
            model,
            [(edit, c, carried[i]) for i, (edit, *_) in requests for c in contexts],
            module=model.mlp_out(layer),
            token_budget=self.key_budget,
        )
        k = keys.unflatten(0, (len(requests), len(contexts)))
        mean = k[:, 0] if len(contexts) == 1 else (k[:, 0] + k[:, 1:].mean(1)) / 2
        return mean, values[:: len(contexts)]

    def _outcome(
        self, model: LanguageModel, job: Job, update: Update, found: Sequence[Found], share: float
    ) -> Update:
        if not job.edits:
            return Update()
        origin = Provenance(
            repr(self),
            tuple(map(str, job.edits)),
            model.fingerprint,
            tuple(loss for value in found for loss in value.losses),
            share * len(found),
            next((value.failure for value in found if value.failure), None),
        )
        return Update.fitted(update.changes, origin)


def _rows(requests: Sequence[tuple[int, Request]], job: int) -> list[int]:
    """Which of `requests` belong to `job`."""
    return [row for row, (owner, _) in enumerate(requests) if owner == job]
