"""Average indirect effects by the role of a token, and the layers to edit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pitfalls.locate.outcome import Trace
from pitfalls.locate.recall import LAST_SUBJECT, ROLES
from pitfalls.locate.sites import MLP

MEMIT_LAYERS = 5
"""Layers proposed for MEMIT, up to the peak: as many as published for GPT2-XL."""

RESAMPLES = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Average:
    """The average indirect effect (AIE) of one site."""

    mean: NDArray[np.float64]
    """[layer, role]; NaN if no prompt has a token with that role."""
    error: NDArray[np.float64]
    """Standard errors over facts, [layer, role]; NaN for fewer than two facts."""
    n: NDArray[np.int64]
    """[role]: number of facts with a token of that role."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Layers to edit."""

    peak: int
    """Layer with the largest MLP effect at the subject's last token."""
    low: int
    high: int
    """Bootstrap interval: 95 % of the resamples peak between these layers, inclusive."""

    @property
    def memit(self) -> tuple[int, ...]:
        """Layers up to the peak."""
        return tuple(range(max(0, self.peak - MEMIT_LAYERS + 1), self.peak + 1))

    @property
    def settings(self) -> dict[str, dict[str, Any]]:
        """Editor → settings, as in an experiment file."""
        return {"rome": {"layer": self.peak}, "memit": {"layers": list(self.memit)}}


def average(traces: Sequence[Trace]) -> dict[str, Average]:
    """AIE of every site: averaged over the tokens of a role within a fact, then over facts.

    Args:
        traces: at least one, all of the same model.
    """
    return {site: _average(effects_by_role(traces, site)) for site in traces[0].restored}


def effects_by_role(traces: Sequence[Trace], site: str) -> NDArray[np.float64]:
    """Indirect effects as [fact, layer, role]; NaN if a prompt has no token with that role."""
    n_layers = len(traces[0].restored[site])
    found = np.full((len(traces), n_layers, len(ROLES)), np.nan)
    for i, each in enumerate(traces):
        roles = [each.recall.role(t) for t in each.recall.tail]
        effect = each.indirect_effect(site)
        for column, role in enumerate(ROLES):
            where = [t for t, name in enumerate(roles) if name == role]
            if where:
                found[i, :, column] = effect[:, where].mean(1)
    return found


def propose(traces: Sequence[Trace], *, seed: int = 0) -> Proposal:
    """Propose layers for ROME and MEMIT by the MLP effect at the subject's last token.

    Args:
        traces: at least one.
        seed: seed of the bootstrap over facts.
    """
    effect = effects_by_role(traces, MLP.name)[:, :, ROLES.index(LAST_SUBJECT)]
    n = len(effect)
    drawn = np.random.default_rng(seed).integers(n, size=(RESAMPLES, n))
    weights = np.stack([np.bincount(each, minlength=n) for each in drawn])
    peaks = (weights @ effect).argmax(1)
    low, high = np.quantile(peaks, [0.025, 0.975], method="nearest")
    return Proposal(int(effect.mean(0).argmax()), int(low), int(high))


def as_rows(averages: Mapping[str, Average]) -> list[dict[str, Any]]:
    """One JSON object per site, layer and role with data."""
    return [
        {
            "site": site,
            "layer": layer,
            "role": role,
            "effect": float(found.mean[layer, column]),
            "error": None if found.n[column] < 2 else float(found.error[layer, column]),
            "n": int(found.n[column]),
        }
        for site, found in averages.items()
        for layer in range(len(found.mean))
        for column, role in enumerate(ROLES)
        if found.n[column]
    ]


def _average(effects: NDArray[np.float64]) -> Average:
    there = ~np.isnan(effects[:, 0])
    n = there.sum(0)
    shape = effects.shape[1:]
    mean, error = np.full(shape, np.nan), np.full(shape, np.nan)
    for column in np.flatnonzero(n):
        of_facts = effects[there[:, column], :, column]
        mean[:, column] = of_facts.mean(0)
        if len(of_facts) > 1:
            error[:, column] = of_facts.std(0, ddof=1) / np.sqrt(len(of_facts))
    return Average(mean, error, n)
