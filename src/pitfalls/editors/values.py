"""v* and z*: the search for the value that makes a model say the target, many edits at a time."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pitfalls.editors.adam import Adam
from pitfalls.editors.objective import Objective, PassMaker, Search, Site
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.packing import pack, run_split_on_oom
from pitfalls.models.passes import TailReplay


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueSearch:
    """How the value is searched for."""

    steps: int = 20
    """Forward passes at most; the last one is followed by no update."""
    lr: float = 0.5
    """Of Adam."""
    weight_decay: float = 0.5
    """λ_wd."""
    clamp: float = 4.0
    """‖δ‖ is kept within this many ‖v0‖."""
    kl_weight: float = 0.0625
    """λ_KL."""
    stop_loss: float = 0.05
    """The search ends, without an update, once the objective is below this."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a search ended with."""

    delta: Float[Tensor, " d"]
    """δ in float32."""
    initial: Float[Tensor, " d"]
    """v0, what the site gave before, in the first row."""
    losses: tuple[float, ...]
    """L(δ) at every step."""
    failure: str | None = None
    """Why δ is of no use, or None."""

    @property
    def value(self) -> Float[Tensor, " d"]:
        """v* = v0 + δ."""
        return self.initial + self.delta


def find_values(
    model: LanguageModel,
    searches: Sequence[Search],
    *,
    layer: int,
    site: Site,
    settings: ValueSearch,
    token_budget: int,
    text_pass: PassMaker = TailReplay,
    done: Callable[[float], None] = lambda amount: None,
) -> list[Found]:
    """Run all searches, as many side by side as the token budget allows.

    Args:
        model: the model.
        searches: independent of one another.
        layer: where δ is added.
        site: to the MLP's output or to the block's.
        settings: steps, learning rate and so on.
        token_budget: the most padded tokens, of right parts, in one forward pass.
        text_pass: `TailReplay`, or `WholeText` for the plain path.
        done: called with the number of searches that ended.
    """

    def objective(some: Sequence[Search]) -> Objective:
        return Objective(model, some, layer=layer, site=site, text_pass=text_pass)

    def run(part: Sequence[Search]) -> list[Found]:
        found = _Descent(part, settings, objective).run()
        done(len(part))
        return found

    sizes = [(len(s.rows), max(len(row.split.right) for row in s.rows)) for s in searches]
    results: dict[int, Found] = {}
    for part in pack(sizes, token_budget):
        found = run_split_on_oom(run, [searches[i] for i in part])
        results.update(zip(part, found, strict=True))
    return [results[i] for i in range(len(searches))]


@dataclass(frozen=True, slots=True, eq=False)
class _Unedited:
    """What the first pass, with δ = 0, says; row i belongs to job i."""

    initial: Float[Tensor, "jobs d"]
    """v0."""
    essence: Float[Tensor, "jobs vocabulary"]
    """log p_0, which the KL term holds on to."""

    def keep(self, rows: Bool[Tensor, " jobs"]) -> "_Unedited":
        return _Unedited(self.initial[rows], self.essence[rows])


class _Descent:
    """Adam on every search of a batch, each until its own end.

    Searches that have ended stay in the batch until they are half of it; then the rest goes on in
    a smaller one.
    """

    def __init__(
        self,
        searches: Sequence[Search],
        settings: ValueSearch,
        objective: Callable[[Sequence[Search]], Objective],
    ) -> None:
        self.searches, self.settings, self.make_objective = searches, settings, objective
        self.jobs = list(range(len(searches)))
        self.losses: list[list[float]] = [[] for _ in searches]
        self.found: dict[int, Found] = {}
        self.objective = objective(searches)
        self.delta = self.objective.nothing
        self.adam = Adam.like(self.delta, lr=settings.lr)

    def run(self) -> list[Found]:
        running = torch.ones(len(self.jobs), dtype=torch.bool, device=self.delta.device)
        before: _Unedited | None = None
        while running.any():
            nll, essence, site = self.objective(self.delta.requires_grad_())
            before = before or _Unedited(site, essence.detach())
            loss = self._loss(nll, essence, before)
            running = running & ~self._ended(loss.detach(), running, before)
            if running.any():
                (gradient,) = torch.autograd.grad(loss[running].sum(), self.delta)
                self._move(gradient, running, before)
            if running.any() and running.sum() * 2 <= len(self.jobs):
                before, running = before.keep(running), self._shrink(running)
        return [self.found[i] for i in range(len(self.searches))]

    def _loss(
        self,
        nll: Float[Tensor, " jobs"],
        essence: Float[Tensor, "jobs vocabulary"],
        before: _Unedited,
    ) -> Float[Tensor, " jobs"]:
        kl = (essence.exp() * (essence - before.essence)).sum(-1)
        decay = self.delta.norm(dim=1) / before.initial.norm(dim=1).square()
        return nll + self.settings.kl_weight * kl + self.settings.weight_decay * decay

    def _ended(
        self, loss: Float[Tensor, " jobs"], running: Bool[Tensor, " jobs"], before: _Unedited
    ) -> Bool[Tensor, " jobs"]:
        """Note the losses of the running searches; which of them end here, and with what."""
        ended = torch.zeros_like(running)
        for i in running.nonzero()[:, 0].tolist():
            job, value = self.jobs[i], loss[i].item()
            self.losses[job].append(value)
            step, failure = len(self.losses[job]), None
            if not math.isfinite(value):
                failure = f"the value search's loss is {value} at step {step}"
            elif value >= self.settings.stop_loss and step < self.settings.steps:
                continue
            ended[i] = True
            delta = self.delta[i].detach().clone()
            self.found[job] = Found(delta, before.initial[i], tuple(self.losses[job]), failure)
        return ended

    @torch.no_grad()
    def _move(
        self,
        gradient: Float[Tensor, "jobs d"],
        running: Bool[Tensor, " jobs"],
        before: _Unedited,
    ) -> None:
        self.delta = self.delta.detach()
        self.adam.step(self.delta, gradient, running)
        longest = self.settings.clamp * before.initial.norm(dim=1)
        self.delta *= (longest / self.delta.norm(dim=1)).clamp(max=1).nan_to_num(1.0)[:, None]

    def _shrink(self, running: Bool[Tensor, " jobs"]) -> Bool[Tensor, " left"]:
        """Go on with the running searches alone."""
        self.delta = self.delta.detach()[running]
        self.adam.keep(running)
        self.jobs = [self.jobs[i] for i in running.nonzero()[:, 0].tolist()]
        self.objective = self.make_objective([self.searches[job] for job in self.jobs])
        return running[running]
