"""Which layer should an editor change? Single-edit success and CM over layers, as Markdown.

    python benchmarks/layers.py --model smollm2-135m --cases 8 --out runs/layers

The table in docs/smollm2-layers.md was made by this command. A finished layer is not run again.
"""

import argparse
from pathlib import Path

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


def main() -> None:
    """Run every editor at every layer and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--cases", type=int, default=8)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--out", type=Path, default=Path("runs/layers"))
    parser.add_argument("--editors", nargs="*", default=list(LAYERS))
    options = parser.parse_args()
    print("| editor | layer | Succ | CS | CM |\n|---|---|---|---|---|")
    for editor in options.editors:
        for layer in LAYERS[editor]:
            scores = measure(options, editor, layer)
            cells = " | ".join(show(scores[name]) for name in METRICS)
            print(f"| {editor} | {layer} | {cells} |", flush=True)


def measure(
    options: argparse.Namespace, editor: str, layer: int | tuple[int, ...]
) -> dict[str, Score]:
    """The clean scores of coverage cases with `editor` at `layer`."""
    where = {"layer": layer} if isinstance(layer, int) else {"layers": layer}
    experiment = Experiment(
        model=options.model,
        editors=(editor,),
        data=("conflict/coverage",),
        cases=options.cases,
        dtype=options.dtype,
        settings={editor: where},
    )
    name = f"{editor}-{layer}" if isinstance(layer, int) else f"{editor}-{layer[0]}-{layer[-1]}"
    directory = run(experiment, options.out / name, progress=progress_on())
    return {one.metric: one for one in score(observe_run(directory), preset="clean")}


def show(one: Score) -> str:
    """A score in the tables' units."""
    return f"{100 * one.value:.0f} [{100 * one.low:.0f}, {100 * one.high:.0f}]"


if __name__ == "__main__":
    main()
