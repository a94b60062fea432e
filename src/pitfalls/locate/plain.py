"""Plain causal tracing, one restoration at a time: the reference for the fast path."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from pitfalls.locate.clean import Modules, clean_runs
from pitfalls.locate.noise import corrupted
from pitfalls.locate.outcome import Corruption, Trace
from pitfalls.locate.side_by_side import Windows
from pitfalls.locate.sites import restored
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.running.passes import right_output
from pitfalls.models.tokens import Split


def trace_plainly(
    model: LanguageModel,
    facts: Sequence[Corruption],
    sites: Modules,
    windows: Windows,
    *,
    advance: Callable[[float], None],
) -> list[Trace]:
    """Trace facts by full forward passes over single texts."""
    traces = []
    for fact in facts:
        traces.append(_trace(model, fact, sites, windows))
        advance(1)
    return traces


def _trace(model: LanguageModel, fact: Corruption, sites: Modules, windows: Windows) -> Trace:
    (clean,) = clean_runs(model, [fact.recall], sites)
    found = {
        site: np.array(
            [
                [
                    _p(
                        model,
                        fact,
                        {modules[j]: clean.values[site][j, t][None] for j in window},
                        t,
                    )
                    for t in fact.recall.tail
                ]
                for window in windows[site]
            ]
        )
        for site, modules in sites.items()
    }
    return Trace(fact.recall, clean.p, _p(model, fact, {}, 0), found)


def _p(
    model: LanguageModel, fact: Corruption, values: Mapping[nn.Module, Tensor], token: int
) -> float:
    """Mean probability over samples, subject corrupted and `values` restored at `token`."""
    recall = fact.recall
    batch = model.batch([Split((), recall.ids)])
    found = []
    for sample in fact.noise:
        noise = torch.zeros(1, len(recall.ids), sample.shape[1])
        noise[0, recall.begin : recall.end] = sample
        with corrupted(model, noise), restored(values, token):
            hidden = right_output(model, batch, None)
        p = model.head_logits(hidden)[0, -1].softmax(-1)[recall.object_ids[0]]
        found.append(float(p))
    return float(np.mean(found))
