"""Record: all that one case under one editor left behind, readings and the fits' diagnostics."""

from dataclasses import dataclass
from typing import Any

from pitfalls.vocabulary import CaseKind, StateName


@dataclass(frozen=True, slots=True)
class Reading:
    """One probe read in one state, either as log-probabilities or as text."""

    state: StateName
    probe: str
    """`Probe.name` of the plan."""
    target: str
    logprobs: tuple[tuple[float, ...], ...] = ()
    """[prompt][token] of the target, natural logarithm, teacher-forced; the rewrite prompt first.
    Empty in a reading of text."""
    texts: tuple[str, ...] = ()
    """[prompt], the text that the model wrote behind it; empty in a reading of log-probabilities.
    """


@dataclass(frozen=True, slots=True)
class Fit:
    """How one state's last step was fitted, and how far the state is from the unedited model."""

    state: StateName
    losses: tuple[float, ...]
    """The objective at every optimisation step, in order; empty for editors that do not iterate."""
    norms: dict[str, float]
    """Weight name → Frobenius norm of its change from θ0, by all steps that lead to the state."""
    seconds: float
    """The job's share of the wall-clock time. The one field that differs between equal runs."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row: one case, one editor."""

    case_id: str
    editor: str
    """Name on the command line, `rome`, `memit+mle`, …"""
    data: str
    """Data set on the command line, `starter:conflict/coverage`, …"""
    kind: CaseKind
    case: dict[str, Any]
    """The case itself as written by `pitfalls.cases.json_form`, so that a row explains itself."""
    readings: tuple[Reading, ...]
    fits: tuple[Fit, ...]
    failure: str | None = None
    """Why the case has no numbers, e.g. `non-finite loss in theta_m at step 3`; None if it has."""
