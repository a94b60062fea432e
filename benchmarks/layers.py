"""Which layer should an editor change? Single-edit success and CM over layers, as Markdown.

    python benchmarks/layers.py --model smollm2-135m --cases 8 --out runs/layers

The table in docs/smollm2-layers.md was made by this command. A finished layer is not run again.
"""

from pathlib import Path
from typing import Annotated

import typer

from pitfalls import Experiment, run
from pitfalls.cli.progress import progress_on
from pitfalls.metrics.scores import Score, score
from pitfalls.records.observation import observe_run

LAYERS = {
    "ft": (2, 8, 14, 20, 26),
    "ft-norm": (0, 8),
    "rome": (2, 4, 6, 8, 11),
    "memit": ((1, 2, 3), (2, 3, 4, 5, 6), (4, 5, 6, 7, 8)),
}
METRICS = ("succ_single", "cs", "cm")


def main(
    model: Annotated[str, typer.Option(help="As in `pitfalls run`.")] = "smollm2-135m",
    cases: Annotated[int, typer.Option(help="The first starter cases.", min=1)] = 8,
    dtype: str = "float32",
    out: Path = Path("runs/layers"),
    editor: Annotated[list[str] | None, typer.Option(help="All that are listed here.")] = None,
) -> None:
    """Run every editor at every layer and print one table."""
    print("| editor | layer | Succ | CS | CM |\n|---|---|---|---|---|")
    for name in editor or LAYERS:
        for layer in LAYERS[name]:
            experiment = Experiment(
                model=model,
                editors=(name,),
                data=("conflict/coverage",),
                cases=cases,
                dtype=dtype,
                settings={name: {"layer" if isinstance(layer, int) else "layers": layer}},
            )
            scores = measure(experiment, out / "-".join([name, *ends(layer)]))
            cells = " | ".join(show(scores[metric]) for metric in METRICS)
            print(f"| {name} | {' to '.join(ends(layer))} | {cells} |", flush=True)


def ends(layer: int | tuple[int, ...]) -> list[str]:
    """The one layer, or the first and the last of several."""
    return [str(layer)] if isinstance(layer, int) else [str(layer[0]), str(layer[-1])]


def measure(experiment: Experiment, out: Path) -> dict[str, Score]:
    """The clean scores of a run in `out`."""
    directory = run(experiment, out, progress=progress_on())
    return {one.metric: one for one in score(observe_run(directory), preset="clean")}


def show(one: Score) -> str:
    """A score in the tables' units."""
    return f"{100 * one.value:.0f} [{100 * one.low:.0f}, {100 * one.high:.0f}]"


if __name__ == "__main__":
    typer.run(main)
