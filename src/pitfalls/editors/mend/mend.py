"""MEND: trained networks turn the gradient of an example into an edit (Mitchell et al. 2022)."""

import time
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal, TypeAlias, final

import torch

from pitfalls.editors.about import LOW_RANK, NETWORKS, About
from pitfalls.editors.editor import Editor, Job
from pitfalls.editors.gradients import Labelled, gradient_factors
from pitfalls.editors.mend.checkpoint import advice, load_networks, packaged_for
from pitfalls.editors.mend.networks import MendNetworks
from pitfalls.errors import PitfallsError
from pitfalls.facts import Edit
from pitfalls.models.cost import Cost
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.running.batching import batches_within, run_split_on_oom
from pitfalls.progress import SILENT, Progress
from pitfalls.settings import Count
from pitfalls.updates.provenance import Provenance
from pitfalls.updates.update import Update

Compatibility: TypeAlias = Literal["none", "authors", "authors-eval"]
"""How far to follow the program behind the published numbers where it strays from the method.

`none`: the statistics found in training, and each matrix with the step size learned for it.
`authors`: the networks stay in training mode: the statistics found in training are forgotten at the
first job and run on from job to job, so that what a job gets depends on the jobs before it. Step
sizes are dealt out in the order of the model's parameters, whichever order they were learned in;
this swaps those of GPT-2's two MLP matrices. (That program also adds a token [PAD], and so a logit,
to the model: a change of the model, not of the method.)
`authors-eval`: the same program in evaluation mode; only the step sizes are dealt out so.
"""


BLOCKS = 3
"""How many of the last blocks MEND edits, unless it is trained for others."""


@final
@dataclass(frozen=True, kw_only=True)
class Mend(Editor):
    """Model editor networks with gradient decomposition: one backward pass and no search.

    Choose it where an edit has to be quick; it needs networks trained for the model. Edits of one
    job share a gradient: the mean over all their target tokens.
    """

    about: ClassVar[About] = About(
        stores=LOW_RANK,
        needs=NETWORKS,
        paper="Mitchell et al. 2022, arXiv:2110.11309",
    )
    checkpoint: str | None = None
    """A file that `pitfalls train mend` wrote; None takes the packaged one that fits the model."""
    compatibility: Compatibility = "none"
    """Which oddities of the published code to repeat."""
    token_budget: Count = 2048
    """The most padded tokens in one pass."""

    @classmethod
    def is_ready_for(cls, model: LanguageModel) -> bool:
        """Whether networks for `model` come along."""
        return packaged_for(model) is not None

    def check(self, model: LanguageModel) -> None:
        """Refuse a model that there are no networks for; an outline is not told from its likes."""
        if not model.is_outline:
            self._trained(model)

    def cost(self, model: LanguageModel, edits: Sequence[Edit]) -> Cost:
        """One pass forwards, and one backwards through the blocks that are usually edited."""
        texts = [Labelled.edit(model, edit) for edit in edits]
        tokens = sum(len(text.ids) for text in texts)
        labels = sum(text.n_labels for text in texts)
        return Cost(tokens * (model.n_layers + BLOCKS), 2 * labels)

    def fit(
        self, model: LanguageModel, jobs: Sequence[Job], *, progress: Progress = SILENT
    ) -> list[Update]:
        """A low-rank change per matrix and job, of one rank per token that takes part."""
        networks = self._trained(model)
        if self.compatibility == "authors":
            networks = deepcopy(networks).train()
            networks.forget()
        updates = [Update() for _ in jobs]
        n_edits = sum(len(job.edits) for job in jobs)
        with progress.stage("MEND", total=n_edits, unit="edits") as advance:
            for part in self._parts(model, jobs):
                fitted = run_split_on_oom(
                    lambda some: self._edit(model, networks, some), [jobs[i] for i in part]
                )
                for i, update in zip(part, fitted, strict=True):
                    updates[i] = update
                    advance(len(jobs[i].edits))
        return updates

    def _trained(self, model: LanguageModel) -> MendNetworks:
        path = Path(self.checkpoint) if self.checkpoint else packaged_for(model)
        if path is None:
            raise PitfallsError(f"no MEND networks for {model.name} come along: {advice(model)}")
        stamp = path.stat().st_mtime_ns if path.is_file() else None
        return model.remember(("MEND", path, stamp), lambda: load_networks(path, model))

    def _parts(self, model: LanguageModel, jobs: Sequence[Job]) -> Iterator[list[int]]:
        """Jobs with edits as they share a pass; where order counts, one after the other."""
        filled = [i for i, job in enumerate(jobs) if job.edits]
        if self.compatibility == "authors":
            yield from ([i] for i in filled)
            return
        sizes = [
            (len(jobs[i].edits), max(len(Labelled.edit(model, e).ids) for e in jobs[i].edits))
            for i in filled
        ]
        for part in batches_within(sizes, self.token_budget):
            yield [filled[i] for i in part]

    def _edit(
        self, model: LanguageModel, networks: MendNetworks, jobs: Sequence[Job]
    ) -> list[Update]:
        begin = time.perf_counter()
        rows = [(j, edit) for j, job in enumerate(jobs) for edit in job.edits]
        losses, factors = gradient_factors(
            model,
            [Labelled.edit(model, edit) for _, edit in rows],
            [j for j, _ in rows],
            [jobs[j].base.only_changes for j, _ in rows],
            [weight.name for weight in networks.weights],
        )
        order = None if self.compatibility == "none" else _parameter_order(model, networks)
        with torch.no_grad():
            changes = networks.edits(
                factors, n_jobs=len(jobs), step_sizes=networks.step_sizes(order)
            )
        share = (time.perf_counter() - begin) / len(jobs)
        updates = []
        for job, change, loss in zip(jobs, changes, losses.tolist(), strict=True):
            origin = Provenance.of(self, job.edits, model, losses=(loss,), seconds=share)
            updates.append(Update.fitted(change, origin))
        return updates


def _parameter_order(model: LanguageModel, networks: MendNetworks) -> list[str]:
    edited = {weight.name for weight in networks.weights}
    return [name for name, _ in model.network.named_parameters() if name in edited]
