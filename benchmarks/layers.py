r"""Where and how strongly should an editor change a model? Single-edit success and CM, as Markdown.

    python benchmarks/layers.py --dtype bfloat16
    python benchmarks/layers.py --model gemma3-270m --dtype bfloat16 \
        rome.layer=5 rome.layer=6 'memit.layers=[1,2,3] memit.moment_weight=150.0'

An argument is one row: settings as `pitfalls run --set` takes them, of one editor. The cases are
tuning cases, so that what is chosen here is not chosen on what is reported. The tables in
docs/smollm2-layers.md and docs/gemma3-layers.md were made by this command. A finished row is not
run again.
"""

import re
from pathlib import Path
from typing import Annotated

import typer

from pitfalls import Experiment, run
from pitfalls.cases.collections import TUNING
from pitfalls.cli.progress import progress_on
from pitfalls.cli.settings import parse_settings
from pitfalls.metrics.scores import Score, score
from pitfalls.records.observation import observe_run

ROWS = (
    *(f"ft.layer={layer}" for layer in (2, 8, 14, 20, 26)),
    *(f"ft-norm.layer={layer}" for layer in (0, 8)),
    *(f"rome.layer={layer}" for layer in (2, 4, 6, 8, 11)),
    *(f"memit.layers={layers}" for layers in ("[1,2,3]", "[2,3,4,5,6]", "[4,5,6,7,8]")),
    *(f"memit.moment_weight={weight}" for weight in (15.0, 150.0, 1_500.0, 15_000.0)),
)
"""Settings to try on SmolLM2-135M; all others are those of the presets."""
METRICS = ("succ_single", "cs", "cm")


def main(
    rows: Annotated[
        list[str] | None, typer.Argument(help="Settings of one editor each; those of SmolLM2-135M.")
    ] = None,
    model: Annotated[str, typer.Option(help="As in `pitfalls run`.")] = "smollm2-135m",
    data: Annotated[str, typer.Option(help="Cases to choose on.")] = f"{TUNING}:conflict/coverage",
    cases: Annotated[int, typer.Option(help="So many of them, from the first on.", min=1)] = 12,
    dtype: str = "float32",
    out: Path = Path("runs/layers"),
) -> None:
    """Run every row and print one table."""
    print("| settings | Succ | CS | CM |\n|---|---|---|---|")
    for row in rows or ROWS:
        settings = parse_settings(row.split())
        experiment = Experiment(
            model=model,
            editors=tuple(settings),
            data=(data,),
            cases=cases,
            dtype=dtype,
            settings=settings,
        )
        name = re.sub(r"[^\w.]+", "-", f"{model} {row}").strip("-")
        scores = measure(experiment, out / name)
        print(f"| {row} | {' | '.join(show(scores[metric]) for metric in METRICS)} |", flush=True)


def measure(experiment: Experiment, out: Path) -> dict[str, Score]:
    """The clean scores of a run in `out`."""
    directory = run(experiment, out, progress=progress_on())
    return {one.metric: one for one in score(observe_run(directory), preset="clean")}


def show(one: Score) -> str:
    """A score in the tables' units."""
    return f"{100 * one.value:.0f} [{100 * one.low:.0f}, {100 * one.high:.0f}]"


if __name__ == "__main__":
    typer.run(main)
