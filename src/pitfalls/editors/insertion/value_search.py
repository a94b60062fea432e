"""v* and z*: the search for the value that makes a model say the target, many edits at a time."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from pitfalls.editors.adam import Adam
from pitfalls.editors.insertion.delta_site import Site
from pitfalls.editors.insertion.objective import Objective, Unedited
from pitfalls.editors.insertion.search_texts import Search
from pitfalls.models.cost import Cost
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.running.batching import run_split_on_oom, share_out
from pitfalls.models.running.passes import many_passes
from pitfalls.models.upload import uploaded
from pitfalls.settings import Count, NonNegative, Positive, Settings

SIDE_BY_SIDE = 4
"""Searches take their steps together as long as their tokens are this many times what one forward
pass takes: enough for every pass to be filled with rows of about equal length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueSearch(Settings):
    """How the value is searched for."""

    steps: Count = 20
    """Forward passes at most; the last one is followed by no update."""
    lr: Positive = 0.5
    """Learning rate of Adam."""
    weight_decay: NonNegative = 0.5
    """λ_wd."""
    clamp: Positive = 4.0
    """‖δ‖ is kept within this many ‖v0‖."""
    kl_weight: NonNegative = 0.0625
    """λ_KL."""
    stop_loss: NonNegative = 0.05
    """The search ends, without an update, once the objective is below this."""

    def cost(self, model: LanguageModel, search: Search, layer: int) -> Cost:
        """Cost of one search that takes all its steps."""
        above = model.n_layers - layer
        cost = Cost()
        for row in search.rows:
            left, right = len(row.split.left), len(row.split.right)
            once = left * model.n_layers + right * layer
            read = max(1, len(row.labels))
            cost += Cost(once + self.steps * right * (2 * above - 1), 2 * self.steps * read)
        return cost


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Result of a search."""

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
    done: Callable[[float], None] = lambda amount: None,
) -> list[Found]:
    """Run all searches, some dozens side by side.

    Args:
        model: the model.
        searches: independent of one another.
        layer: where δ is added.
        site: to the MLP's output or to the block's.
        settings: steps, learning rate and so on.
        token_budget: the most padded tokens, of right parts, in one forward pass.
        done: called with the number of searches that ended, a part of one for a step of it.
    """

    def run(part: Sequence[Search]) -> list[Found]:
        def objective(some: Sequence[Search], unedited: Unedited | None) -> Objective:
            return Objective(
                model,
                some,
                layer=layer,
                site=site,
                kl_weight=settings.kl_weight,
                weight_decay=settings.weight_decay,
                token_budget=token_budget,
                unedited=unedited,
            )

        with many_passes(model, layer=layer):
            return _Descent(part, settings, objective, done).run()

    lengths = [search.length for search in searches]
    results: dict[int, Found] = {}
    for part in share_out(lengths, SIDE_BY_SIDE * token_budget):
        found = run_split_on_oom(run, [searches[i] for i in part])
        results.update(zip(part, found, strict=True))
    return [results[i] for i in range(len(searches))]


class _Descent:
    """Adam on every search of a batch, each until its own end.

    Searches that have ended stay in the batch until they are half of it; then the rest goes on in
    a smaller one.
    """

    def __init__(
        self,
        searches: Sequence[Search],
        settings: ValueSearch,
        objective: Callable[[Sequence[Search], Unedited | None], Objective],
        done: Callable[[float], None],
    ) -> None:
        self.searches, self.settings, self.make_objective = searches, settings, objective
        self.done = done
        self.jobs = list(range(len(searches)))
        self.losses: list[list[float]] = [[] for _ in searches]
        self.found: dict[int, Found] = {}
        self.objective = objective(searches, None)
        self.delta = self.objective.nothing
        self.adam = Adam.like(self.delta, lr=settings.lr)

    def run(self) -> list[Found]:
        running = list(range(len(self.jobs)))
        for step in range(1, self.settings.steps + 1):
            last = step == self.settings.steps
            loss, gradient = self.objective(self.delta, gradient=not last)
            # The only time in a step that the host waits for the device.
            ended = self._ended(loss.tolist(), running, step)
            self._tell(len(running), len(ended), step)
            running = [i for i in running if i not in ended]
            if not running:
                break
            self._move(gradient, running)
            if len(running) * 2 <= len(self.jobs):
                running = self._shrink(running)
        return [self.found[i] for i in range(len(self.searches))]

    def _ended(self, loss: Sequence[float], running: Sequence[int], step: int) -> set[int]:
        """Note the losses of the running searches; which of them end here, and with what."""
        ended = set()
        for i in running:
            job, value, failure = self.jobs[i], loss[i], None
            self.losses[job].append(value)
            if not math.isfinite(value):
                failure = f"the value search's loss is {value} at step {step}"
            elif value >= self.settings.stop_loss and step < self.settings.steps:
                continue
            ended.add(i)
            initial = self.objective.unedited.initial[i]
            self.found[job] = Found(
                self.delta[i].clone(), initial, tuple(self.losses[job]), failure
            )
        return ended

    def _tell(self, n_running: int, n_ended: int, step: int) -> None:
        """A running search is a step further; one that ended has no more to do."""
        steps = self.settings.steps
        self.done((n_running - n_ended) / steps + n_ended * (steps - step + 1) / steps)

    def _move(self, gradient: Float[Tensor, "jobs d"], running: Sequence[int]) -> None:
        self.adam.step(self.delta, gradient, running)
        longest = self.settings.clamp * self.objective.unedited.initial.norm(dim=1)
        self.delta *= (longest / self.delta.norm(dim=1)).clamp(max=1).nan_to_num(1.0)[:, None]

    def _shrink(self, running: Sequence[int]) -> list[int]:
        """Go on with the running searches alone."""
        rows = uploaded(running, self.delta.device)
        self.delta = self.delta[rows]
        self.adam.keep(rows)
        self.jobs = [self.jobs[i] for i in running]
        left = [self.searches[job] for job in self.jobs]
        self.objective = self.make_objective(left, self.objective.unedited.keep(rows))
        return list(range(len(running)))
