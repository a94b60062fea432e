"""Differences of runs, models and editors on the same cases, and which of them are certain."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pitfalls.errors import PitfallsError
from pitfalls.metrics.comparison import Axis, Comparison, compare
from pitfalls.metrics.scores import Score
from pitfalls.metrics.table import METRICS
from pitfalls.records.observation import Observation
from pitfalls.report.grid import Grid, comparison_grid, interval, p_value
from pitfalls.report.layout import Cell
from pitfalls.report.measures import Measure, kind_word
from pitfalls.vocabulary import Preset

CERTAIN = 0.05
"""A difference whose corrected p-value is below is told as one."""

_TITLES: dict[Axis, str] = {
    "run": "What changed against the run",
    "model": "Models, against",
    "editor": "Editors, against",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One table of differences, or why there is none."""

    title: str
    axis: Axis
    base: str
    found: tuple[Comparison, ...] = ()
    note: str = ""

    @property
    def grid(self) -> Grid | None:
        """The table; None if nothing can be compared."""
        return comparison_grid(self.found) if self.found else None


def changes(
    observations: Sequence[Observation], scores: Sequence[Score], base: str | None, preset: Preset
) -> Iterator[Change]:
    """Runs against the baseline, models and editors against the first one.

    Args:
        observations: of all runs.
        scores: of the same; their order says which model and editor is the first.
        base: the run that others are compared with; the first one if not given.
        preset: whose arithmetic.
    """
    edited = [one for one in scores if one.n and not one.reference]
    for axis in _TITLES:
        names = list(dict.fromkeys(getattr(one, axis) for one in edited))
        if len(names) > 1:
            yield _change(observations, axis, base if axis == "run" and base else names[0], preset)


def certain(change: Change, measures: Sequence[Measure]) -> list[str]:
    """A sentence for every difference in the measures that outlives Holm's correction.

    Args:
        change: a comparison along one axis.
        measures: those of the first screen.
    """
    told = []
    for one in sorted(change.found, key=lambda one: (one.p_holm, -abs(one.difference))):
        measure = next((m for m in measures if m.metrics.get(one.kind) == one.metric), None)
        if measure is not None and one.p_holm < CERTAIN:
            better = (one.difference > 0) == METRICS[one.metric].increasing
            p = p_value(one.p_holm)
            told.append(
                f"{measure.title} in {kind_word(one.kind)} cases: {one.other} is "
                f"{'better' if better else 'worse'} than {one.base} by "
                f"{abs(100 * one.difference):.0f} points; difference "
                f"{interval(Cell(one.difference, one.low, one.high))}, "
                f"p {p if p.startswith('<') else f'= {p}'}"
            )
    return told


def _change(observations: Sequence[Observation], axis: Axis, base: str, preset: Preset) -> Change:
    title = f"{_TITLES[axis]} {base}"
    try:
        found = compare(observations, axis=axis, base=base, preset=preset)
    except PitfallsError as error:
        return Change(title, axis, base, note=str(error))
    note = "" if found else "No two of them have a case in common."
    return Change(title, axis, base, tuple(found), note)
