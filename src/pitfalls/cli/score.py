"""`pitfalls score`: scores from records, without a model."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeAlias

import typer
from rich.console import Console

from pitfalls.cli.options import Runs
from pitfalls.cli.output import FORMATS, Answer, show
from pitfalls.cli.reading import preset_named, read_observations
from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.metrics.breakdown import FACETS, breakdown
from pitfalls.metrics.comparison import AXES, Axis, compare
from pitfalls.metrics.gate import Gate
from pitfalls.metrics.scores import Score
from pitfalls.metrics.scores import score as score_observations
from pitfalls.records.observation import Observation
from pitfalls.report.grid import breakdown_grids, comparison_grid, score_grids
from pitfalls.report.tables import part_tables, plain_tables, tables
from pitfalls.report.tidy import comparison_table, score_table
from pitfalls.vocabulary import Preset

HOLDS = 1
"""Exit status when a condition of --fail-if holds; 2 is a mistake in the input."""


PresetName: TypeAlias = Annotated[
    str,
    typer.Option(
        help="Arithmetic: `authors`, that of the published code, or `clean`, what the paper means."
    ),
]
ScoresAsJson: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print a JSON list of scores instead of tables.")
]
Format: TypeAlias = Annotated[
    str, typer.Option("--format", help=f"Format of the tables: {', '.join(FORMATS)}.")
]
Out: TypeAlias = Annotated[
    Path | None, typer.Option(help="File to write to instead of the screen.")
]
By: TypeAlias = Annotated[
    str | None, typer.Option(help=f"Score parts of the cases, by {', '.join(FACETS)}.")
]
Compare: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--compare", help=f"Differences on the same cases: between each {', '.join(AXES)}."
    ),
]
Base: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="With --compare: the one that all others are compared with. Among editors it may be "
        "`undo`, the exact undoing of round trips."
    ),
]
FailIf: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        help="Exit with status 1 if it holds: `memit:ir > 0.5`, `cm@conflict/reverse > 0.1`."
    ),
]
AuthorsResults: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Score result files of the authors' own scripts: a folder that holds "
        "conflict_results/ and round_results/.",
    ),
]


def score(
    runs: Runs = None,
    *,
    preset: PresetName = "authors",
    as_json: ScoresAsJson = False,
    style: Format = "terminal",
    out: Out = None,
    by: By = None,
    versus: Compare = None,
    base: Base = None,
    fail_if: FailIf = None,
    authors_results: AuthorsResults = None,
) -> None:
    """Score finished or running runs, in the layout of the paper's tables.

    Example: pitfalls score runs/a runs/b --preset clean --json
    """
    arithmetic = preset_named(preset)
    gates = [Gate.parse(text) for text in fail_if or ()]
    _check(style, as_json, by, versus, base)
    cases = read_observations(runs or [], authors_results)
    if versus is None and by is None:
        scores = score_observations(cases, preset=arithmetic)
        answer = _scores(scores)
    else:
        kept = list(cases)
        scores = score_observations(kept, preset=arithmetic) if gates else []
        answer = (
            _parts(kept, by, arithmetic) if by else _differences(kept, versus, base, arithmetic)
        )
    show(answer, "json" if as_json else style, out)
    _enforce(gates, scores)


def _check(style: str, as_json: bool, by: str | None, versus: str | None, base: str | None) -> None:
    if style not in FORMATS:
        raise UnknownNameError("format", style, FORMATS)
    if as_json and style not in ("terminal", "json"):
        raise PitfallsError(f"--json and --format {style} are two formats; give one of them")
    if by and versus:
        raise PitfallsError("--by and --compare are two tables; ask for one at a time")
    if base is not None and versus is None:
        raise PitfallsError("--base names what to compare with: give --compare too")
    if by is not None and by not in FACETS:
        raise UnknownNameError("breakdown", by, FACETS)
    if versus is not None and versus not in AXES:
        raise UnknownNameError("comparison", versus, AXES)


def _scores(scores: Sequence[Score]) -> Answer:
    def drawn(console: Console) -> None:
        console.print(tables(scores, width=console.width))

    rows = [one.as_json() for one in scores]
    return Answer(rows, lambda: score_table(scores), lambda: score_grids(scores), drawn)


def _parts(cases: Sequence[Observation], facet: str, preset: Preset) -> Answer:
    broken = breakdown(cases, facet, preset=preset)
    flat = [(value, one) for value, scores in broken.items() for one in scores]
    rows = [{facet: value} | one.as_json() for value, one in flat]
    return Answer(
        rows,
        lambda: score_table([one for _, one in flat], **{facet: [value for value, _ in flat]}),
        lambda: breakdown_grids(broken, facet),
        lambda console: console.print(part_tables(broken, facet, width=console.width)),
    )


def _differences(
    cases: Sequence[Observation], versus: str | None, base: str | None, preset: Preset
) -> Answer:
    axis: Axis = next(axis for axis in AXES if axis == versus)
    found = compare(cases, axis=axis, base=base, preset=preset)
    grid = comparison_grid(found)
    return Answer(
        [one.as_json() for one in found],
        lambda: comparison_table(found),
        lambda: [grid],
        lambda console: console.print(plain_tables([grid])),
    )


def _enforce(gates: Sequence[Gate], scores: Sequence[Score]) -> None:
    """Tell every score for which a condition holds, and end with the status for it."""
    held = [(gate, one) for gate in gates for one in gate.holding(scores)]
    for gate, one in held:
        print(
            f"pitfalls: {gate.text} holds: {one.model}, {one.editor}, {one.data}: {one.metric} "
            f"is {one.value:.4g} (n = {one.n:,}, 95 % interval {one.low:.4g} to {one.high:.4g})",
            file=sys.stderr,
        )
    if held:
        raise typer.Exit(HOLDS)
