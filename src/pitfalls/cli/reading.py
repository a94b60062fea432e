"""Input that `score` and `report` share: run directories and names of presets."""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.records.authors import observe_authors_results
from pitfalls.records.observation import Observation, observe_run
from pitfalls.records.run_directory import RunDirectory
from pitfalls.vocabulary import PRESETS, Preset


def read_observations(runs: Iterable[Path], authors_results: Path | None) -> Iterator[Observation]:
    """Every case of every run, read one run after the other.

    Raises:
        PitfallsError: nothing was given, a run cannot be read, or it has no records yet.
    """
    sources = [_observe(run) for run in dict.fromkeys(runs)]
    if authors_results is not None:
        sources.append(observe_authors_results(authors_results))
    if not sources:
        raise PitfallsError("nothing to score: give run directories or --authors-results DIR")
    return chain.from_iterable(sources)


def preset_named(name: str) -> Preset:
    """The preset of that name.

    Raises:
        UnknownNameError: there is none.
    """
    for preset in PRESETS:
        if preset == name:
            return preset
    raise UnknownNameError("preset", name, PRESETS)


def _observe(path: Path) -> Iterator[Observation]:
    run = RunDirectory.read(path)
    if not run.parts():
        raise PitfallsError(f"{path} has no records yet; let `pitfalls run` finish a chunk first")
    return observe_run(run)
