"""Causal tracing (Meng et al. 2022, §2): which single restoration brings a corrupted fact back?

The subject's embeddings are corrupted with noise, so that the model no longer recalls the object.
Then one site at a time is restored to its value in the clean run: the state after a block at one
token, or the MLP or attention outputs of adjacent blocks at that token. The indirect effect is the
gain in the object's probability.
"""

from collections.abc import Iterable, Sequence

import torch

from pitfalls.locate.noise import embedding_spread, subject_noise
from pitfalls.locate.outcome import Corruption, Trace, Tracing
from pitfalls.locate.plain import trace_plainly
from pitfalls.locate.recall import Recall
from pitfalls.locate.side_by_side import Windows, trace_side_by_side
from pitfalls.locate.sites import SITES, Site, modules_of, scaled_window, window_around
from pitfalls.models.language_model import LanguageModel
from pitfalls.progress import SILENT, Progress

FACTS_AT_ONCE = 8
"""Facts whose restorations share batches; their clean runs are kept in memory meanwhile."""


@torch.no_grad()
def trace(
    model: LanguageModel,
    recalls: Sequence[Recall],
    settings: Tracing | None = None,
    *,
    spread: float | None = None,
    progress: Progress = SILENT,
) -> list[Trace]:
    """Trace facts in batches; for a plain model, one restoration at a time.

    Args:
        model: the model; it is not changed.
        recalls: facts that it knows.
        settings: noise, window and so on; the paper's if not given.
        spread: σ of the embeddings; that of the subjects in `recalls` if not given. With a given σ
            the trace of a fact does not depend on the other facts, except for rounding.
        progress: notified of every fact.
    """
    settings = settings or Tracing()
    if not recalls:
        return []
    scale = settings.noise * (embedding_spread(model, recalls) if spread is None else spread)
    sites = {site: modules for site in SITES if (modules := modules_of(model, site))}
    windows = _windows(sites, settings.window or scaled_window(model.n_layers), model.n_layers)
    by_name = {site.name: found for site, found in sites.items()}
    traces: list[Trace] = []
    with progress.stage("trace", total=len(recalls), unit="facts") as advance:
        for begin in range(0, len(recalls), FACTS_AT_ONCE):
            some = recalls[begin : begin + FACTS_AT_ONCE]
            facts = [_corruption(model, recall, scale, settings) for recall in some]
            if model.plain:
                traces += trace_plainly(model, facts, by_name, windows, advance=advance)
            else:
                traces += trace_side_by_side(
                    model,
                    facts,
                    by_name,
                    windows,
                    token_budget=settings.token_budget,
                    advance=advance,
                )
    return traces


def _windows(sites: Iterable[Site], size: int, n_layers: int) -> Windows:
    return {
        site.name: [
            window_around(layer, size if site.windowed else 1, n_layers)
            for layer in range(n_layers)
        ]
        for site in sites
    }


def _corruption(
    model: LanguageModel, recall: Recall, scale: float, settings: Tracing
) -> Corruption:
    samples, seed = settings.samples, settings.seed
    return Corruption(recall, subject_noise(model, recall, samples=samples, scale=scale, seed=seed))
