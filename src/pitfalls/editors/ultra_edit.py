"""UltraEdit: one gradient, normalised by all edits so far, and one solve (Gu et al. 2025)."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, final

import torch
from jaxtyping import Float
from torch import Tensor

from pitfalls.editors.about import LOW_RANK, NOTHING, About
from pitfalls.editors.editor import Editor, Job
from pitfalls.editors.gradients import Factors, Labelled, gradient_factors
from pitfalls.editors.running_statistics import RunningStatistics
from pitfalls.errors import PitfallsError
from pitfalls.facts import Edit
from pitfalls.models.cost import Cost
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.running.batching import batches_within, run_split_on_oom
from pitfalls.models.upload import uploaded
from pitfalls.models.weights.changes import Change, LowRank
from pitfalls.progress import SILENT, Progress
from pitfalls.settings import Count, Index, Positive
from pitfalls.updates.carried import Carried, Latest
from pitfalls.updates.provenance import Provenance
from pitfalls.updates.update import Update


@final
@dataclass(frozen=True, kw_only=True)
class UltraEdit(Editor):
    """Editing without training, subject or second moments (arXiv:2505.14679).

    Choose it for long sequences of quick edits. Its updates carry statistics of the keys and
    gradients of all edits so far, one set for all matrices of a shape.
    """

    about: ClassVar[About] = About(
        stores=LOW_RANK, needs=NOTHING, paper="Gu et al. 2025, arXiv:2505.14679"
    )

    layers: tuple[Index, ...]
    """Layers whose second MLP matrix is changed, ascending."""
    in_layers: tuple[Index, ...] = ()
    """Layers whose other MLP matrices are changed."""
    lr: Positive = 1e-6
    """η, the step along the normalised gradient."""
    tokens: Literal["answer", "all"] = "answer"
    """Tokens that give keys and gradients: those that predict the answer, or all."""
    batch_size: Count = 100
    """Edits of one job whose losses are averaged; the longest come first."""
    token_budget: Count = 2048
    """The most padded tokens in one pass."""

    def check(self, model: LanguageModel) -> None:
        """Refuse layers that are not ascending or not there."""
        for name in ("layers", "in_layers"):
            layers = getattr(self, name)
            if not self.layers or list(layers) != sorted(set(layers)):
                raise PitfallsError(f"UltraEdit's {name} are {layers}, expected ascending indices")
        self.weights(model)

    def weights(self, model: LanguageModel) -> list[str]:
        """Names of the matrices that are changed.

        Raises:
            PitfallsError: a layer does not exist.
        """
        second = [f"{model.mlp_out_name(layer)}.weight" for layer in self.layers]
        first = [name for layer in self.in_layers for name in model.mlp_weight_names(layer)[:-1]]
        return second + first

    def cost(self, model: LanguageModel, edits: Sequence[Edit]) -> Cost:
        """One pass forwards, and one backwards down to the lowest layer."""
        texts = [Labelled.edit(model, edit) for edit in edits]
        tokens = sum(len(text.ids) for text in texts)
        above = model.n_layers - min((*self.layers, *self.in_layers))
        return Cost(tokens * (model.n_layers + above), 2 * sum(text.n_labels for text in texts))

    def fit(
        self, model: LanguageModel, jobs: Sequence[Job], *, progress: Progress = SILENT
    ) -> list[Update]:
        """A low-rank change per matrix and job, of one rank per token that takes part."""
        self.check(model)
        updates = [Update() for _ in jobs]
        n_edits = sum(len(job.edits) for job in jobs)
        with progress.stage("UltraEdit", total=n_edits, unit="edits") as advance:
            for part in self._parts(model, jobs):
                fitted = run_split_on_oom(
                    lambda some: self._edit(model, some), [jobs[i] for i in part]
                )
                for i, update in zip(part, fitted, strict=True):
                    updates[i] = update
                    advance(len(jobs[i].edits))
        return updates

    def _parts(self, model: LanguageModel, jobs: Sequence[Job]) -> Iterator[list[int]]:
        """Jobs with edits as they share a pass."""
        filled = [i for i, job in enumerate(jobs) if job.edits]
        sizes = [
            (len(jobs[i].edits), max(len(Labelled.edit(model, e).ids) for e in jobs[i].edits))
            for i in filled
        ]
        for part in batches_within(sizes, self.token_budget):
            yield [filled[i] for i in part]

    def _batches(self, model: LanguageModel, job: Job) -> Iterator[list[Labelled]]:
        """Texts of a job, the longest first, as they share a loss."""
        texts = sorted((Labelled.edit(model, e) for e in job.edits), key=lambda t: -len(t.ids))
        for begin in range(0, len(texts), self.batch_size):
            yield texts[begin : begin + self.batch_size]

    def _edit(self, model: LanguageModel, jobs: Sequence[Job]) -> list[Update]:
        begin = time.perf_counter()
        batches = [(j, texts) for j, job in enumerate(jobs) for texts in self._batches(model, job)]
        rows = [(b, text) for b, (_, texts) in enumerate(batches) for text in texts]
        losses, factors = gradient_factors(
            model,
            [text for _, text in rows],
            [b for b, _ in rows],
            [jobs[batches[b][0]].base.only_changes for b, _ in rows],
            self.weights(model),
        )
        outcomes = []
        for j, job in enumerate(jobs):
            own = [b for b, (owner, _) in enumerate(batches) if owner == j]
            loss = tuple(losses[b].item() for b in own)
            outcomes.append((job, loss, *self._changes(factors, own, job.base)))
        share = (time.perf_counter() - begin) / len(jobs)
        return [
            Update.fitted(
                changes, Provenance.of(self, job.edits, model, losses=loss, seconds=share), carried
            )
            for job, loss, changes, carried in outcomes
        ]

    @torch.no_grad()
    def _changes(
        self, factors: dict[str, Factors], batches: Sequence[int], base: Update
    ) -> tuple[dict[str, Change], dict[str, Carried]]:
        """Changes of one job, and the statistics after it.

        Args:
            factors: keys and gradients of all jobs, by matrix.
            batches: those that are the job's.
            base: the update that the job stands on, and the statistics before it.
        """
        found = {name: self._rows(of, batches) for name, of in factors.items()}
        statistics: dict[str, RunningStatistics] = {}
        for x, delta, parts in found.values():
            both = torch.cat([x, delta], 1)
            shape = _shape(x, delta)
            if shape not in statistics:
                before = base.carried.get(shape)
                state = None if before is None else before.tensor
                statistics[shape] = RunningStatistics.of(state, both)
            for part in both.split(parts):
                statistics[shape] = statistics[shape].seen(part)
        changes: dict[str, Change] = {
            name: ridge_step(x, delta, statistics[_shape(x, delta)], self.lr)
            for name, (x, delta, _) in found.items()
        }
        return changes, {name: Latest(each.tensor) for name, each in statistics.items()}

    def _rows(
        self, factors: Factors, batches: Sequence[int]
    ) -> tuple[Float[Tensor, "m d_in"], Float[Tensor, "m d_out"], list[int]]:
        """Keys and gradients of some batches, one after the other, and how many each has."""
        taken = factors.labelled | (self.tokens == "all")
        rows = [((factors.job == b) & taken).nonzero()[:, 0] for b in batches]
        rows = [each for each in rows if len(each)]
        chosen = uploaded(torch.cat([factors.job.new_zeros(0), *rows]), factors.x.device)
        return factors.x[chosen], factors.delta[chosen], [len(each) for each in rows]


def ridge_step(
    H: Float[Tensor, "m d_in"],
    G: Float[Tensor, "m d_out"],
    statistics: RunningStatistics,
    lr: float,
) -> LowRank:
    """ΔWᵀ = (HᵀH + I)⁻¹ HᵀV with V = −η ‖ĥ‖² ĝ, the hats for normalised rows.

    The push-through identity gives ΔW = Vᵀ (HHᵀ + I)⁻¹ H, a system as large as there are tokens.

    Args:
        H: keys, a row per token.
        G: gradients of the loss at the matrix's outputs.
        statistics: of rows [h; g].
        lr: η.
    """
    h, g = statistics.normalised(torch.cat([H, G], 1)).split([H.shape[1], G.shape[1]], 1)
    V = -lr * h.square().sum(1, keepdim=True) * g
    H = H.double()
    ridge = torch.eye(len(H), dtype=H.dtype, device=H.device)
    A = torch.linalg.solve(H @ H.mT + ridge, H)
    return LowRank(B=V.mT.float().contiguous(), A=A.float())


def _shape(x: Float[Tensor, "m d_in"], delta: Float[Tensor, "m d_out"]) -> str:
    return f"statistics of {x.shape[1]} x {delta.shape[1]}"
