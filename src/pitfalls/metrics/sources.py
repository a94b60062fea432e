"""Observations by where they come from, each source being averaged by itself."""

from collections.abc import Iterable
from itertools import chain

from pitfalls.metrics.undo import undone
from pitfalls.records.observation import Observation, Source


def by_source(
    observations: Iterable[Observation], *, with_undo: bool
) -> dict[Source, list[Observation]]:
    """Source → its cases; sources in order of appearance.

    Args:
        observations: of any number of runs.
        with_undo: put the exact undoing (`undo`) of every run's round trips behind them.
    """
    listed = list(observations)
    groups: dict[Source, list[Observation]] = {}
    for observation in chain(listed, undone(listed) if with_undo else ()):
        groups.setdefault(observation.source, []).append(observation)
    return groups
