"""ROME: one fact, one layer, one rank-one change (Meng et al. 2022)."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

from jaxtyping import Float
from torch import Tensor

from pitfalls.editors.editor import Editor, Job
from pitfalls.editors.insertion.contexts import Contexts
from pitfalls.editors.insertion.equations import rank_one_insertion
from pitfalls.editors.insertion.keys import subject_traffic
from pitfalls.editors.insertion.moment_factors import estimates, moment_factors
from pitfalls.editors.insertion.multi_label import (
    MultiLabel,
    Request,
    expected_searches,
    requests_of,
    searches_of,
)
from pitfalls.editors.insertion.value_search import ValueSearch, find_values
from pitfalls.facts import Edit
from pitfalls.models.cost import Cost
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.moments import Estimate, MomentSettings
from pitfalls.progress import SILENT, Progress
from pitfalls.settings import Count, Index
from pitfalls.updates.update import Provenance, Update


@final
@dataclass(frozen=True, kw_only=True)
class Rome(Editor):
    """Rank-one model editing: finds v* for the subject's key k* and writes it into one matrix.

    Choose it for single facts. Several edits of one job are made one after the other, each seeing
    the ones before.
    """

    layer: Index
    """l*, the layer whose second MLP matrix is changed."""
    value: ValueSearch = ValueSearch()
    """How v* is searched for (§3.1, step 2)."""
    contexts: Contexts = Contexts()
    """What k* and v* are averaged over."""
    moments: MomentSettings | None = MomentSettings()
    """How C is estimated (§3.1, step 1); None takes C = I."""
    multi_label: MultiLabel = "separate"
    """How edits of one job that share subject and prompt are made (paper §4.4)."""
    token_budget: Count = 768
    """The most padded tokens that one forward pass of the search replays."""
    key_budget: Count = 4096
    """The most padded tokens in one forward pass that reads keys."""

    def check(self, model: LanguageModel) -> None:
        """Refuse a layer that is not there."""
        model.mlp_out_name(self.layer)

    def templates(self, model: LanguageModel) -> tuple[str, ...]:
        """The context templates."""
        return self.contexts.of(model)

    def estimates(
        self, model: LanguageModel, *, progress: Progress = SILENT
    ) -> dict[int, Estimate]:
        """How C was estimated, if there is one."""
        if self.moments is None:
            return {}
        return estimates(model, [self.layer], self.moments, progress=progress)

    def cost(self, model: LanguageModel, edits: Sequence[Edit]) -> Cost:
        """The search for v*, and the keys."""
        searches = expected_searches(model, edits, self.multi_label, self.contexts)
        keys = Cost(self.layer * sum(search.whole_length for search in searches))
        return sum((self.value.cost(model, search, self.layer) for search in searches), keys)

    def fit(
        self, model: LanguageModel, jobs: Sequence[Job], *, progress: Progress = SILENT
    ) -> list[Update]:
        """One rank-one change per edit, summed up per job."""
        self.check(model)
        updates = [Update() for _ in jobs]
        wanted = [requests_of(job.edits, self.multi_label) for job in jobs]
        n_edits = sum(map(len, wanted))
        if n_edits and self.moments is not None:  # a stage of its own, before the edits' stage
            moment_factors(model, [self.layer], self.moments, progress=progress)
        with progress.stage(f"ROME, layer {self.layer}", total=n_edits, unit="edits") as advance:
            for turn in range(max(map(len, wanted), default=0)):
                waiting = [
                    i
                    for i, requests in enumerate(wanted)
                    if turn < len(requests) and not updates[i].failure
                ]
                if not waiting:
                    break
                now = [(wanted[i][turn], jobs[i].base + updates[i]) for i in waiting]
                for i, update in zip(waiting, self._insert(model, now, advance), strict=True):
                    updates[i] += update
        return [Update(history=u.history) if u.failure else u for u in updates]

    def _insert(
        self,
        model: LanguageModel,
        requests: Sequence[tuple[Request, Update]],
        advance: Callable[[float], None],
    ) -> list[Update]:
        """One request on top of one update, for each of them, side by side."""
        begin = time.perf_counter()
        contexts = self.contexts.of(model)
        # The bare prompt comes last: its key is the one whose value becomes v* exactly, while the
        # direction of the change follows the mean key. The authors' code has it so.
        keys, values = subject_traffic(
            model,
            [(edit, c, base.changes) for (edit, *_), base in requests for c in (*contexts, "{}")],
            module=model.mlp_out(self.layer),
            token_budget=self.key_budget,
        )
        keys = keys.unflatten(0, (len(requests), -1))
        values = values.unflatten(0, (len(requests), -1))
        directions = self._directions(model, keys[:, :-1].mean(1))
        found = find_values(
            model,
            searches_of(model, [(r, base.changes) for r, base in requests], contexts),
            layer=self.layer,
            site="mlp",
            settings=self.value,
            token_budget=self.token_budget,
            done=advance,
        )
        share = (time.perf_counter() - begin) / len(requests)
        name = f"{model.mlp_out_name(self.layer)}.weight"
        return [
            Update.fitted(
                {name: rank_one_insertion(k=k[-1], v=v.value, Wk=Wk[-1], u=u)},
                Provenance(
                    repr(self),
                    tuple(map(str, request)),
                    model.fingerprint,
                    v.losses,
                    share,
                    v.failure,
                ),
            )
            for (request, _), v, k, Wk, u in zip(
                requests, found, keys, values, directions, strict=True
            )
        ]

    def _directions(
        self, model: LanguageModel, k: Float[Tensor, "n d_in"]
    ) -> Float[Tensor, "n d_in"]:
        """The directions u = C⁻¹k* / ‖C⁻¹k*‖, one per row."""
        if self.moments is not None:
            factors = moment_factors(model, [self.layer], self.moments)
            k = factors[self.layer].solve(k.mT).mT.float()
        return k / k.norm(dim=1, keepdim=True)
