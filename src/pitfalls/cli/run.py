"""`pitfalls run`: edit, observe, record, and show the scores."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer
from rich.console import Console

from pitfalls.bench.experiment import Experiment, read_experiment
from pitfalls.cli.options import (
    DeviceOrNone,
    DtypeOrNone,
    ModelOrNone,
    PrefixOrNone,
    SeedOrNone,
    Settings,
)
from pitfalls.cli.plan import forecast_table
from pitfalls.cli.progress import progress_on
from pitfalls.cli.settings import parse_settings, refuse_idle
from pitfalls.metrics.scores import score as score_observations
from pitfalls.records.observation import observe_run
from pitfalls.records.run_directory import RunDirectory
from pitfalls.report.tables import brief_tables, tables

ExperimentFile: TypeAlias = Annotated[
    Path | None, typer.Argument(help="A TOML file; options win over it.")
]
Editors: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        help=(
            "ft, ft-norm, mend, rome, r-rome, memit, memit-seq, alphaedit, emmet, memit-merge, "
            "ultraedit, …+mle, …+rect, …+prune, or all; repeat."
        )
    ),
]
DataSets: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(help="[COLLECTION:]NAME such as conflict/reverse, or a path; repeat."),
]
Cases: TypeAlias = Annotated[
    int | None,
    typer.Option(min=1, help="Take only the first N cases of every data set."),
]
Out: TypeAlias = Annotated[
    Path, typer.Option(help="The run directory; an unfinished run in it goes on.")
]
Plan: TypeAlias = Annotated[
    bool, typer.Option("--plan", help="Print an estimate of the run's time and memory, and exit.")
]
SkipDegenerate: TypeAlias = Annotated[
    bool | None, typer.Option("--skip-degenerate", help="Leave out cases that cannot be measured.")
]
Known: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--known",
        help="Leave out cases whose first fact the model does not know: it must prefer the true "
        "object to the one that the first edit puts there.",
    ),
]


def run(
    experiment: ExperimentFile = None,
    *,
    model: ModelOrNone = None,
    editor: Editors = None,
    data: DataSets = None,
    cases: Cases = None,
    seed: SeedOrNone = None,
    dtype: DtypeOrNone = None,
    device: DeviceOrNone = None,
    prefix: PrefixOrNone = None,
    out: Out = Path("runs/quick"),
    setting: Settings = None,
    plan: Plan = False,
    skip_degenerate: SkipDegenerate = None,
    known: Known = None,
) -> None:
    """Measure conflict and distortion of edits, resumably, and print the paper's two tables.

    Example: pitfalls run --editor rome --data conflict/reverse --cases 24 --out runs/reverse
    """
    given = {
        "model": model,
        "editors": editor,
        "data": data,
        "cases": cases,
        "seed": seed,
        "dtype": dtype,
        "device": device,
        "prefix": prefix,
        "skip_degenerate": skip_degenerate,
        "known": known,
        "settings": parse_settings(setting or []) or None,
    }
    overrides = {key: value for key, value in given.items() if value is not None}
    wanted = read_experiment(experiment, overrides) if experiment or overrides else _quick()
    if wanted.editors is not None:
        refuse_idle(setting or [], (name.partition("+")[0] for name in wanted.editors))
    (_tell_plan if plan else _measure)(wanted, out)


def _quick() -> Experiment:
    from pitfalls.bench.quick import quick_experiment  # torch, as below

    return quick_experiment()


def _tell_plan(experiment: Experiment, out: Path) -> None:
    from pitfalls.bench.forecast import forecast  # torch, as below

    console = Console(highlight=False)
    console.print(forecast_table(forecast(experiment, progress=progress_on())))
    if experiment.known:
        console.print("Counted as if the model knew every fact; those it does not are left out.")
    console.print(f"Nothing was run. Without --plan the records go to {out}.")


def _measure(experiment: Experiment, out: Path) -> None:
    from pitfalls.bench.engine import run as carry_out  # torch, only once the input is known good

    console = Console(highlight=False)

    def so_far(directory: RunDirectory, left: int) -> None:
        if left:
            found = score_observations(observe_run(directory))
            console.print(brief_tables(found, width=console.width))

    directory = carry_out(experiment, out, progress=progress_on(), measured=so_far)
    console.print(tables(score_observations(observe_run(directory)), width=console.width))
    console.print(f"\nRecords: {out}   Score again: pitfalls score {out}")
