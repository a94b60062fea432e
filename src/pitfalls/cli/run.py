"""`pitfalls run`: edit, observe, record, and show the scores."""

from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer
from rich.console import Console

from pitfalls.bench.experiment import Experiment, read_experiment
from pitfalls.bench.shard import WHOLE, Shard
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
from pitfalls.cli.spreading import (
    ShardOption,
    Shards,
    StatusAsJson,
    StatusOf,
    Workers,
    counted,
    is_whole,
    refuse_mixed,
    tell_status,
)
from pitfalls.errors import PitfallsError
from pitfalls.metrics.scores import score as score_observations
from pitfalls.records.observation import observe_run
from pitfalls.records.run_directory import RunDirectory
from pitfalls.report.tables import brief_tables, tables

QUICK = Path("runs/quick")
"""Default run directory."""

ExperimentFile: TypeAlias = Annotated[
    Path | None, typer.Argument(help="A TOML file; options win over it.")
]
Editors: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        help="A name that `pitfalls editors` lists, also …+mle, …+rect, …+prune, or all; repeat."
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
    out: Out = QUICK,
    setting: Settings = None,
    plan: Plan = False,
    skip_degenerate: SkipDegenerate = None,
    known: Known = None,
    shard: ShardOption = None,
    workers: Workers = None,
    status: StatusOf = None,
    shards: Shards = None,
    as_json: StatusAsJson = False,
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
    others = bool(experiment or overrides or plan or shard or workers or out != QUICK)
    refuse_mixed(status, shards, as_json, others=others)
    if status is not None:
        return tell_status(status, shards, as_json)
    wanted = _wanted(experiment, overrides, setting or [])
    if plan:
        _tell_plan(wanted, out, spread=bool(shard or workers))
    else:
        _measure(wanted, out, WHOLE if shard is None else Shard.parse(shard), workers)


def _wanted(file: Path | None, overrides: dict[str, Any], setting: list[str]) -> Experiment:
    """The experiment of the words, or the quick one if there are none."""
    wanted = read_experiment(file, overrides) if file or overrides else _quick()
    if wanted.editors is not None:
        refuse_idle(setting, (name.partition("+")[0] for name in wanted.editors))
    return wanted


def _quick() -> Experiment:
    from pitfalls.bench.quick import quick_experiment  # torch, as below

    return quick_experiment()


def _tell_plan(experiment: Experiment, out: Path, *, spread: bool) -> None:
    from pitfalls.bench.forecast import forecast  # torch, as below

    if spread:
        raise PitfallsError("--plan is about a whole run: leave out --shard and --workers")
    console = Console(highlight=False)
    console.print(forecast_table(forecast(experiment, progress=progress_on())))
    if experiment.known:
        console.print("Counted as if the model knew every fact; those it does not are left out.")
    console.print(f"Nothing was run. Without --plan the records go to {out}.")


def _measure(experiment: Experiment, out: Path, shard: Shard, workers: str | None) -> None:
    from pitfalls.bench.engine import run as carry_out  # torch, only once the input is known good
    from pitfalls.bench.hiring import hiring
    from pitfalls.bench.status import status_of

    console = Console(highlight=False)

    def so_far(directory: RunDirectory, left: int) -> None:
        if left and shard == WHOLE:
            found = score_observations(observe_run(directory))
            console.print(brief_tables(found, width=console.width))

    directory = carry_out(
        experiment,
        out,
        shard=shard,
        workers=None if workers is None else hiring(workers),
        progress=progress_on(),
        measured=so_far,
    )
    if shard != WHOLE and not is_whole(lines := status_of(directory)):
        console.print(f"Shard {shard} is done; of the run {counted(lines)} are there.")
        console.print(f"What is missing: pitfalls run --status {out} --shards {shard.of}")
        return
    console.print(tables(score_observations(observe_run(directory)), width=console.width))
    console.print(f"\nRecords: {out}   Score again: pitfalls score {out}")
