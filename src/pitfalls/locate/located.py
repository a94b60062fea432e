"""Location of facts in a model, as the command `pitfalls locate` does it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from pitfalls.facts import Fact
from pitfalls.locate.averages import Average, Proposal, as_rows, average, propose
from pitfalls.locate.known import Known, known_facts
from pitfalls.locate.noise import embedding_spread
from pitfalls.locate.outcome import Trace, Tracing
from pitfalls.locate.sites import scaled_window
from pitfalls.locate.tracing import trace
from pitfalls.models.language_model import LanguageModel
from pitfalls.progress import SILENT, Progress


@dataclass(frozen=True, eq=False)
class Located:
    """Traces of facts in one model, with averages and proposed layers."""

    model: str
    dtype: str
    n_layers: int
    rank: int
    """Largest rank of an object's tokens in a known fact."""
    asked: int
    """Facts tried to find enough known ones."""
    settings: Tracing
    spread: float
    """σ, the standard deviation of the subjects' embedding entries."""
    traces: tuple[Trace, ...]

    @property
    def window(self) -> int:
        """Number of adjacent MLP or attention layers restored together."""
        return self.settings.window or scaled_window(self.n_layers)

    @property
    def clean(self) -> float:
        """Mean probability of the object's first token."""
        return sum(each.clean for each in self.traces) / len(self.traces)

    @property
    def corrupted(self) -> float:
        """Mean probability of the object's first token with corrupted subjects."""
        return sum(each.corrupted for each in self.traces) / len(self.traces)

    @cached_property
    def averages(self) -> dict[str, Average]:
        """Site → its average indirect effects."""
        return average(self.traces)

    @cached_property
    def proposal(self) -> Proposal:
        """Layers to edit."""
        return propose(self.traces, seed=self.settings.seed)

    def as_json(self) -> dict[str, Any]:
        """All results as strict JSON values."""
        told = asdict(self.settings)
        return {
            "model": self.model,
            "dtype": self.dtype,
            "layers": self.n_layers,
            "known": len(self.traces),
            "asked": self.asked,
            "rank": self.rank,
            **{name: told[name] for name in ("samples", "noise", "seed")},
            "spread": self.spread,
            "window": self.window,
            "clean": self.clean,
            "corrupted": self.corrupted,
            "peak": asdict(self.proposal),
            "settings": self.proposal.settings,
            "facts": [_fact(each) for each in self.traces],
            "effects": as_rows(self.averages),
        }


def locate(
    model: LanguageModel,
    facts: Sequence[Fact],
    *,
    count: int = 40,
    rank: int = 1,
    settings: Tracing | None = None,
    progress: Progress = SILENT,
) -> Located:
    """Trace the first `count` of `facts` that the model knows.

    Args:
        model: the model; it is not changed.
        facts: facts in the order in which they are tried.
        count: number of facts to trace; fewer if fewer are known.
        rank: as in `known_facts`.
        settings: noise, window and so on; the paper's if not given.
        progress: notified of every fact.

    Raises:
        PitfallsError: none of the facts is known, or `count` or `rank` is below 1.
    """
    settings = settings or Tracing()
    known: Known = known_facts(model, facts, count=count, rank=rank, progress=progress)
    spread = embedding_spread(model, known.recalls)
    traces = trace(model, known.recalls, settings, spread=spread, progress=progress)
    dtype = model.dtype_name
    return Located(
        model.name, dtype, model.n_layers, rank, known.asked, settings, spread, tuple(traces)
    )


def _fact(each: Trace) -> dict[str, Any]:
    return {
        "prompt": each.recall.prompt,
        "object": each.recall.fact.object.label,
        "clean": each.clean,
        "corrupted": each.corrupted,
    }
