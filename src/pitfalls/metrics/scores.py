"""From observations to scores: a mean over cases for every metric, with its uncertainty."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pitfalls.metrics.case_value import case_value, number_of
from pitfalls.metrics.intervals import agreement_bound, bootstrap_intervals
from pitfalls.metrics.json_row import JsonRow
from pitfalls.metrics.metric import Guarded, Metric, Value
from pitfalls.metrics.sources import by_source
from pitfalls.metrics.table import METRICS
from pitfalls.records.observation import Observation, Source
from pitfalls.vocabulary import CaseKind, Preset


@dataclass(frozen=True, slots=True)
class Score(JsonRow):
    """One metric of one editor on one data set."""

    run: str
    model: str
    editor: str
    data: str
    kind: CaseKind
    metric: str
    preset: Preset
    n: int
    """Cases that the mean is over."""
    guarded: int
    """Cases where a ratio to nothing or the like had to be guarded. `authors` keeps them in the
    mean as the published arithmetic does, a NaN included; `clean` leaves them out."""
    failed: int
    """Cases that have no numbers because the edit or its observation failed; never in the mean."""
    value: float
    """A fraction, not a percentage; NaN if undefined."""
    low: float
    """Lower end of the 95 % interval; infinite if so many agreeing cases exclude nothing below."""
    high: float
    guard_reasons: Mapping[str, int]
    """Why cases were guarded → how many."""
    failure_reasons: Mapping[str, int]
    subjects: int = 0
    """Independent observations behind the mean: cases of one subject count as one."""
    agree: bool = False
    """Whether resampling moves nothing, mostly because all cases agree; the interval is then what
    so many subjects leave open (`agreement_bound`)."""
    reference: bool = False
    """Whether this is the score of a reference, such as `undo`, not of an editor."""


def score(
    observations: Iterable[Observation], *, preset: Preset = "authors", seed: int = 0
) -> list[Score]:
    """Every metric that applies, for every editor and data set.

    Args:
        observations: of any number of runs; `observe_run(run)` gives those of one.
        preset: whose arithmetic.
        seed: of the bootstrap.

    Returns:
        Sources in order of appearance, behind them the exact undoing (`undo`) of every run's round
        trips; metrics in the order of `METRICS`.
    """
    return [
        one
        for source, cases in by_source(observations, with_undo=True).items()
        for one in _score_source(source, cases, preset=preset, seed=seed)
    ]


def _score_source(
    source: Source, cases: Sequence[Observation], *, preset: Preset, seed: int
) -> list[Score]:
    sound = [case for case in cases if case.failure is None]
    failures = Counter(case.failure for case in cases if case.failure is not None)
    metrics = _applicable(source, sound, preset)
    columns = [[case_value(metric, case, preset) for case in sound] for metric in metrics]
    subjects = [case.subject for case in sound]
    intervals = _intervals(columns, subjects, seed=seed)
    return [
        _summary(
            source, metric, preset, column, failures=failures, interval=interval, subjects=subjects
        )
        for metric, column, interval in zip(metrics, columns, intervals, strict=True)
    ]


def _applicable(source: Source, sound: Sequence[Observation], preset: Preset) -> list[Metric]:
    """Metrics that at least one case allows; if every case failed, all metrics of the kind.

    A run without a single number still has to show up, with n = 0.
    """
    return [
        metric
        for metric in METRICS.values()
        if any(metric.applies(case, preset) for case in sound)
        or (not sound and preset in metric.presets and source.kind in metric.kinds)
    ]


def _intervals(
    columns: Sequence[Sequence[Value]], subjects: Sequence[str], *, seed: int
) -> list[tuple[float, float]]:
    if not columns or not subjects:
        return [(math.nan, math.nan)] * len(columns)
    table = np.array([[_left_out_as_nan(value) for value in column] for column in columns]).T
    low, high = bootstrap_intervals(table, subjects, seed=seed)
    return list(zip(low.tolist(), high.tolist(), strict=True))


def _summary(
    source: Source,
    metric: Metric,
    preset: Preset,
    column: Sequence[Value],
    *,
    failures: Counter[str],
    interval: tuple[float, float],
    subjects: Sequence[str],
) -> Score:
    kept = [number for value in column if (number := number_of(value)) is not None]
    behind = {s for s, value in zip(subjects, column, strict=True) if number_of(value) is not None}
    guarded = Counter(value.reason for value in column if isinstance(value, Guarded))
    mean = sum(kept) / len(kept) if kept else math.nan
    finite = math.isfinite(mean)
    low, high = interval if finite else (math.nan, math.nan)
    # Undoing restores by definition, not by chance; no number of cases leaves that open.
    certain = source.reference and mean == metric.best
    if agree := finite and low == high and not certain:
        low, high = agreement_bound(mean, len(behind), metric.presets[preset].value_range)
    return Score(
        run=source.run,
        model=source.model,
        editor=source.editor,
        data=source.data,
        kind=source.kind,
        metric=metric.name,
        preset=preset,
        n=len(kept),
        guarded=guarded.total(),
        failed=failures.total(),
        value=mean,
        low=low,
        high=high,
        guard_reasons=dict(guarded),
        failure_reasons=dict(failures),
        subjects=len(behind),
        agree=agree,
        reference=source.reference,
    )


def _left_out_as_nan(value: Value) -> float:
    number = number_of(value)
    return math.nan if number is None else number
