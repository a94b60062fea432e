"""`pitfalls score`: records → numbers, as often as one likes and without a model."""

import json
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.metrics.scores import score as score_observations
from pitfalls.records.authors import observe_authors_results
from pitfalls.records.observation import Observation, observe_run
from pitfalls.records.store import RunDirectory
from pitfalls.report.tables import tables
from pitfalls.vocabulary import PRESETS, Preset


def score(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="DIR", help="Run directories, the --out of `pitfalls run`."),
    ] = None,
    *,
    preset: Annotated[
        str,
        typer.Option(
            help="Whose arithmetic: `authors`, that of the published code, or `clean`, what the "
            "paper means."
        ),
    ] = "authors",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON list of scores instead of tables.")
    ] = False,
    authors_results: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Score result files of the authors' own scripts: a folder that holds "
            "conflict_results/ and round_results/.",
        ),
    ] = None,
) -> None:
    """Score finished or running runs, in the layout of the paper's tables.

    Example: pitfalls score runs/a runs/b --preset clean --json
    """
    arithmetic = _preset(preset)
    scores = score_observations(_observations(runs or [], authors_results), preset=arithmetic)
    if as_json:
        listed = [one.as_json() for one in scores]
        print(json.dumps(listed, indent=2, ensure_ascii=False, allow_nan=False))
        return
    console = Console(highlight=False)
    console.print(tables(scores, width=console.width))


def _observations(runs: Iterable[Path], authors_results: Path | None) -> Iterator[Observation]:
    sources = [_observe(run) for run in runs]
    if authors_results is not None:
        sources.append(observe_authors_results(authors_results))
    if not sources:
        raise PitfallsError("nothing to score: give run directories or --authors-results DIR")
    return chain.from_iterable(sources)


def _observe(path: Path) -> Iterator[Observation]:
    run = RunDirectory.read(path)
    if not run.parts():
        raise PitfallsError(f"{path} has no records yet; let `pitfalls run` finish a chunk first")
    return observe_run(run)


def _preset(name: str) -> Preset:
    for preset in PRESETS:
        if preset == name:
            return preset
    raise UnknownNameError("preset", name, PRESETS)
