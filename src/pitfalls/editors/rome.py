"""ROME: one fact, one layer, one rank-one change (Meng et al. 2022)."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from pitfalls.editors.contexts import Contexts
from pitfalls.editors.editor import Editor, Job
from pitfalls.editors.equations import rank_one_insertion
from pitfalls.editors.keys import subject_traffic
from pitfalls.editors.objective import Search, search_rows
from pitfalls.editors.update import Provenance, Update
from pitfalls.editors.values import ValueSearch, find_values
from pitfalls.errors import PitfallsError
from pitfalls.facts import Edit
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.moments import MomentSettings, second_moments
from pitfalls.progress import SILENT, Progress


@final
@dataclass(frozen=True, kw_only=True)
class Rome(Editor):
    """Rank-one model editing: finds v* for the subject's key k* and writes it into one matrix.

    Choose it for single facts. Several edits of one job are made one after the other, each seeing
    the ones before.
    """

    layer: int
    """l*, the layer whose second MLP matrix is changed."""
    value: ValueSearch = ValueSearch()
    """How v* is searched for (§3.1, step 2)."""
    contexts: Contexts = Contexts()
    """What k* and v* are averaged over."""
    moments: MomentSettings | None = MomentSettings()
    """How C is estimated (§3.1, step 1); None takes C = I."""
    token_budget: int = 768
    """The most padded tokens that one forward pass of the search replays."""

    def templates(self, model: LanguageModel) -> tuple[str, ...]:
        """The context templates."""
        return self.contexts.of(model)

    def fit(
        self, model: LanguageModel, jobs: Sequence[Job], *, progress: Progress = SILENT
    ) -> list[Update]:
        """One rank-one change per edit, summed up per job."""
        model.mlp_out_name(self.layer)  # refuses a layer that does not exist
        updates = [Update() for _ in jobs]
        n_edits = sum(len(job.edits) for job in jobs)
        if n_edits:
            self._solve(model, torch.zeros(0, self._width(model)), progress)  # prepare, told apart
        with progress.stage(f"ROME, layer {self.layer}", total=n_edits, unit="edits") as advance:
            for turn in range(max((len(job.edits) for job in jobs), default=0)):
                waiting = [i for i, job in enumerate(jobs) if turn < len(job.edits)]
                requests = [(jobs[i].edits[turn], jobs[i].base + updates[i]) for i in waiting]
                for i, update in zip(waiting, self._insert(model, requests, advance), strict=True):
                    updates[i] += update
        return updates

    def _insert(
        self,
        model: LanguageModel,
        requests: Sequence[tuple[Edit, Update]],
        advance: Callable[[float], None],
    ) -> list[Update]:
        """One edit on top of one update, for every request, side by side."""
        begin = time.perf_counter()
        contexts = self.contexts.of(model)
        # The bare prompt comes last: its key is the one whose value becomes v* exactly, while the
        # direction of the change follows the mean key. The authors' code has it so.
        keys, values = subject_traffic(
            model,
            [(edit, c, base.changes) for edit, base in requests for c in (*contexts, "{}")],
            layer=self.layer,
            token_budget=self.token_budget,
        )
        keys = keys.unflatten(0, (len(requests), -1))
        values = values.unflatten(0, (len(requests), -1))
        directions = self._solve(model, keys[:, :-1].mean(1), SILENT)
        found = find_values(
            model,
            [Search(search_rows(model, edit, contexts), base.changes) for edit, base in requests],
            layer=self.layer,
            site="mlp",
            settings=self.value,
            token_budget=self.token_budget,
            done=advance,
        )
        share = (time.perf_counter() - begin) / len(requests)
        name = f"{model.mlp_out_name(self.layer)}.weight"
        updates = []
        for i, ((edit, _), v) in enumerate(zip(requests, found, strict=True)):
            change = rank_one_insertion(k=keys[i, -1], v=v.value, Wk=values[i, -1], u=directions[i])
            failure = v.failure
            if failure is None and not (change.B.isfinite().all() and change.A.isfinite().all()):
                failure = "the rank-one change is not finite: the key has no part in C⁻¹k*"
            origin = Provenance(
                repr(self), (str(edit),), model.fingerprint, v.losses, share, failure
            )
            changes = MappingProxyType({} if failure else {name: change})
            updates.append(Update(changes, (origin,)))
        return updates

    def _width(self, model: LanguageModel) -> int:
        return model.weight(f"{model.mlp_out_name(self.layer)}.weight").shape[1]

    def _solve(
        self, model: LanguageModel, k: Float[Tensor, "n d_in"], progress: Progress
    ) -> Float[Tensor, "n d_in"]:
        """The directions u = C⁻¹k* / ‖C⁻¹k*‖, one per row."""
        if self.moments is not None:
            factor = model.remember(
                ("ROME", self.layer, self.moments), lambda: self._factor(model, progress)
            )
            k = torch.cholesky_solve(k.mT.double(), factor).mT.float()
        return k / k.norm(dim=1, keepdim=True)

    def _factor(self, model: LanguageModel, progress: Progress) -> Float[Tensor, "d_in d_in"]:
        """The Cholesky factor of C in float64."""
        assert self.moments is not None
        moment = second_moments(model, [self.layer], self.moments, progress=progress)[self.layer]
        factor, trouble = torch.linalg.cholesky_ex(moment.matrix.double().to(model.device))
        if trouble:
            raise PitfallsError(
                f"C of layer {self.layer} is singular: {moment.tokens} tokens for "
                f"{len(moment.matrix)} dimensions; raise moments.max_tokens or give more text"
            )
        return factor
