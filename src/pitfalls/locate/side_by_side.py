"""Batched causal tracing that computes only what a restoration can change.

A restoration affects neither the tokens to its left nor the blocks below it. Both are run once;
each restoration then runs only the upper blocks on the rest of the text.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from pitfalls.locate.clean import Clean, Modules, clean_runs, probabilities
from pitfalls.locate.noise import corrupted
from pitfalls.locate.outcome import Corruption, Trace
from pitfalls.locate.sites import restored
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.running.batching import batches_within, run_split_on_oom
from pitfalls.models.running.passes import TailReplay
from pitfalls.models.tokens import Split, SplitBatch

Windows = Mapping[str, Sequence[range]]
"""Site → for every layer, the layers restored together."""

Place = tuple[int, int]
"""Index of a fact, and of the token restored in it."""

Column = dict[str, NDArray[np.float64]]
"""Site → p for every layer at one place; under "" the p without restoration."""

NOTHING = ""


def trace_side_by_side(
    model: LanguageModel,
    facts: Sequence[Corruption],
    sites: Modules,
    windows: Windows,
    *,
    token_budget: int,
    advance: Callable[[float], None],
) -> list[Trace]:
    """Trace facts; places with tails of similar length share a batch."""
    clean = clean_runs(model, [fact.recall for fact in facts], sites)
    places = [(i, t) for i, fact in enumerate(facts) for t in fact.recall.tail]

    def run(part: Sequence[Place]) -> list[Column]:
        return list(_Batch(model, facts, clean, part).columns(sites, windows))

    sizes = [(len(facts[i].noise), len(facts[i].recall.ids) - t) for i, t in places]
    found: dict[Place, Column] = {}
    for some in batches_within(sizes, token_budget):
        part = [places[n] for n in some]
        found.update(zip(part, run_split_on_oom(run, part), strict=True))
        advance(sum(1 / len(facts[i].recall.tail) for i, _ in part))
    return [
        _put_together(fact, clean[i], [found[i, t] for t in fact.recall.tail], sites)
        for i, fact in enumerate(facts)
    ]


def _put_together(
    fact: Corruption, clean: Clean, columns: Sequence[Column], sites: Modules
) -> Trace:
    by_site = {site: np.stack([column[site] for column in columns], axis=1) for site in sites}
    return Trace(fact.recall, clean.p, float(columns[0][NOTHING][0]), by_site)


class _Batch:
    """Batch of places: one row per place and sample, split at the restored token."""

    def __init__(
        self,
        model: LanguageModel,
        facts: Sequence[Corruption],
        clean: Sequence[Clean],
        places: Sequence[Place],
    ) -> None:
        """Run the corrupted texts once."""
        self.model, self.clean, self.places = model, clean, places
        self.samples = [len(facts[i].noise) for i, _ in places]
        rows = [(i, t, s) for i, t in places for s in range(len(facts[i].noise))]
        self.recalls = [facts[i].recall for i, _, _ in rows]
        batch = model.batch(
            [Split(facts[i].recall.ids[:t], facts[i].recall.ids[t:]) for i, t, _ in rows]
        )
        self.last = batch.lengths - 1
        with corrupted(model, _placed(batch, facts, rows)):
            self.replay = TailReplay(model, batch, layer=0)

    def columns(self, sites: Modules, windows: Windows) -> Iterator[Column]:
        """Probabilities for each place, in order."""
        by_layer = {NOTHING: [self._p(self.model.n_layers - 1)]}
        for site, modules in sites.items():
            values = self._clean_values(site)
            by_layer[site] = []
            for window in windows[site]:
                put = {modules[layer]: values[layer] for layer in window}
                with restored(put, self.replay.offset):
                    by_layer[site].append(self._p(window[0]))
        stacked = {site: np.stack(p) for site, p in by_layer.items()}
        for n in range(len(self.places)):
            yield {site: p[:, n] for site, p in stacked.items()}

    def _clean_values(self, site: str) -> Float[Tensor, "layers rows d"]:
        at = [self.clean[i].values[site][:, t] for i, t in self.places]
        samples = torch.tensor(self.samples, device=self.model.device)
        return torch.stack(at, dim=1).repeat_interleave(samples, dim=1)

    def _p(self, since: int) -> NDArray[np.float64]:
        """Mean probability for every place, if nothing below block `since` is restored."""
        hidden = self.replay.hidden(since=since)
        p = probabilities(self.model, hidden, self.last, self.recalls).double().cpu()
        return np.array([part.mean() for part in p.split(self.samples)])


def _placed(
    batch: SplitBatch,
    facts: Sequence[Corruption],
    rows: Sequence[tuple[int, int, int]],
) -> Float[Tensor, "rows columns d"]:
    """Each row's noise in the columns of its subject."""
    n_left = batch.left.shape[1]
    noise = torch.zeros(*batch.mask.shape, facts[0].noise.shape[2])
    for row, (i, t, s) in enumerate(rows):
        recall = facts[i].recall
        begin = n_left - t + recall.begin
        noise[row, begin : begin + recall.end - recall.begin] = facts[i].noise[s]
    return noise
