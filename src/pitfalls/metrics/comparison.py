"""Two editors, models or runs on the same cases: is the difference more than chance?"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal, TypeAlias, get_args

from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.metrics.case_value import case_value, number_of
from pitfalls.metrics.json_row import JsonRow
from pitfalls.metrics.metric import Metric
from pitfalls.metrics.paired import Paired, paired
from pitfalls.metrics.permutation import holm, permutation_p
from pitfalls.metrics.sources import by_source
from pitfalls.metrics.table import METRICS
from pitfalls.metrics.undo import UNDO
from pitfalls.records.observation import Observation, Source
from pitfalls.vocabulary import CaseKind, Preset

Axis: TypeAlias = Literal["editor", "model", "run"]
"""In what the two sides of a comparison differ."""
AXES: tuple[Axis, ...] = get_args(Axis)

_FIXED: Mapping[Axis, tuple[str, ...]] = {
    "editor": ("run", "model", "data"),
    "model": ("editor", "data"),
    "run": ("model", "editor", "data"),
}
"""Fields that both sides share. Models are compared across runs, each being of one model."""
_Cases: TypeAlias = Mapping[str, Observation]


@dataclass(frozen=True, slots=True)
class Comparison(JsonRow):
    """One metric of two sides on the cases that both have; other − base, in fractions."""

    axis: Axis
    base: str
    other: str
    run: str
    """The run of the other side, like `model` and `editor`."""
    model: str
    editor: str
    data: str
    kind: CaseKind
    metric: str
    preset: Preset
    n: int
    """Cases that both sides have a number for."""
    subjects: int
    difference: float
    low: float
    high: float
    p: float
    """Two-sided permutation test: each subject's cases may have swapped sides."""
    p_holm: float
    """The same, corrected by Holm for all comparisons of the table."""
    detectable: float
    """The true difference that so many cases would show four times out of five; NaN if the
    difference is the same in all of them."""


def compare(
    observations: Iterable[Observation],
    *,
    axis: Axis = "editor",
    base: str | None = None,
    preset: Preset = "authors",
    seed: int = 0,
) -> list[Comparison]:
    """Every metric of every pair of sides, paired by case.

    Args:
        observations: of one run or of many.
        axis: in what the sides differ; the rest (data set, editor, model) they share.
        base: what every other side is compared with; without it, every pair is. Of editors it may
            be `undo`, the exact undoing of round trips.
        preset: whose arithmetic.
        seed: of the bootstrap and the permutations.

    Raises:
        PitfallsError: no side is called `base`, there is nothing to compare, or the extra
            `report` is not installed.
    """
    groups = by_source(observations, with_undo=axis == "editor" and base == UNDO)
    sound = (
        (source, {case.case_id: case for case in cases if case.failure is None})
        for source, cases in groups.items()
    )
    sources = {source: found for source, found in sound if found}
    names = dict.fromkeys(getattr(source, axis) for source in sources)
    if base is not None and base not in names:
        raise UnknownNameError(axis, base, names)
    pairs = list(_pairs(list(sources), axis, base))
    if not pairs:
        raise PitfallsError(
            f"nothing to compare: needs two {axis}s on the same cases, got {', '.join(names)}"
        )
    tested = [
        one
        for first, second in pairs
        for one in _compare(axis, sources[first], sources[second], preset=preset, seed=seed)
    ]
    found = [
        replace(one, p=permutation_p(both.by_subject, seed=seed, tests=len(tested)))
        for one, both in tested
    ]
    corrected = holm([one.p for one in found])
    return [replace(one, p_holm=p) for one, p in zip(found, corrected, strict=True)]


def _pairs(
    sources: Sequence[Source], axis: Axis, base: str | None
) -> Iterator[tuple[Source, Source]]:
    """(base, other) wherever only the axis tells the two apart."""
    for first, second in combinations(sources, 2):
        alike = all(getattr(first, name) == getattr(second, name) for name in _FIXED[axis])
        ends = [getattr(side, axis) for side in (first, second)]
        if not alike or ends[0] == ends[1]:
            continue
        if base is None or ends[0] == base:
            yield first, second
        elif ends[1] == base:
            yield second, first


def _compare(
    axis: Axis, base: _Cases, other: _Cases, *, preset: Preset, seed: int
) -> Iterator[tuple[Comparison, Paired]]:
    """Every metric; the p-values come later, when it is known how many tests there are."""
    both = [
        (base[name], case)
        for name, case in other.items()
        if name in base and base[name].case == case.case
    ]
    for metric in METRICS.values():
        kept = [
            (pair[0].subject, after - before)
            for pair in both
            if (before := _number(metric, pair[0], preset)) is not None
            and (after := _number(metric, pair[1], preset)) is not None
        ]
        if kept:
            subjects, differences = zip(*kept, strict=True)
            value_range = metric.presets[preset].value_range
            found = paired(differences, subjects, value_range, seed=seed)
            sides = (both[0][0].source, both[0][1].source)
            yield _untested(axis, sides, metric, preset, found), found


def _number(metric: Metric, case: Observation, preset: Preset) -> float | None:
    """The number of the case, if it has a finite one."""
    if not metric.applies(case, preset):
        return None
    number = number_of(case_value(metric, case, preset))
    return number if number is not None and math.isfinite(number) else None


def _untested(
    axis: Axis, sides: tuple[Source, Source], metric: Metric, preset: Preset, found: Paired
) -> Comparison:
    base, other = sides
    return Comparison(
        axis=axis,
        base=getattr(base, axis),
        other=getattr(other, axis),
        run=other.run,
        model=other.model,
        editor=other.editor,
        data=other.data,
        kind=other.kind,
        metric=metric.name,
        preset=preset,
        n=found.n,
        subjects=len(found.by_subject),
        difference=found.difference,
        low=found.low,
        high=found.high,
        p=math.nan,
        p_holm=math.nan,
        detectable=found.detectable,
    )
