"""Metrics: a number per case under a preset, with everything one has to know about it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from pitfalls.records.observation import Observation
from pitfalls.vocabulary import CaseKind, Preset, StateName


@dataclass(frozen=True, slots=True)
class Guarded:
    """Value of a metric where its arithmetic breaks down, such as a ratio to nothing."""

    reason: str
    value: float | None = None
    """Number that goes into the mean; None leaves the case out of it."""


Value: TypeAlias = float | Guarded
Needs: TypeAlias = tuple[tuple[StateName, str], ...]
"""(state, probe) pairs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """How one preset computes a metric."""

    formula: str
    """For one case, in the paper's letters; the score is the mean over cases."""
    source: str
    """Where the formula is from: the paper, or the function of the authors' code."""
    value_range: tuple[float, float]
    """Least and greatest value of one case."""
    needs: Needs
    """Readings without which the metric says nothing about a case."""
    compute: Callable[[Observation], Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric that describes itself. Tables, docs and tests are made from these."""

    name: str
    """On the command line and in `--json`."""
    title: str
    """In tables, as the paper prints it."""
    question: str
    """Question that it asks of an edited model, in one sentence."""
    increasing: bool
    """Whether more is better."""
    best: float
    """Value of an editor without any pitfall."""
    kinds: tuple[CaseKind, ...]
    presets: Mapping[Preset, Definition]
    absent: Mapping[Preset, str] = field(default_factory=dict)
    """Preset that does not have this metric → why not."""

    def applies(self, observation: Observation, preset: Preset) -> bool:
        """Whether this metric can say anything about the case."""
        return (
            preset in self.presets
            and observation.source.kind in self.kinds
            and all(observation.has(*need) for need in self.presets[preset].needs)
        )

    def value(self, observation: Observation, preset: Preset) -> Value:
        """The metric of one case that it applies to."""
        return self.presets[preset].compute(observation)
