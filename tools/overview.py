"""Draw the README's picture from the records of a run.

pitfalls run --cases 32 --dtype bfloat16 --out runs/default
python tools/overview.py runs/default
"""

import sys
from pathlib import Path
from typing import Any

import vl_convert

from pitfalls.metrics.scores import score
from pitfalls.records.observation import observe_run
from pitfalls.records.run_directory import RunDirectory
from pitfalls.report.layout import in_order
from pitfalls.report.plots import overview

PICTURE = Path(__file__).parents[1] / "docs" / "overview.svg"
INK = "#808080"
"""Readable on white and on black alike: the page around the picture may be either."""
WIDTH = 230
"""Width of a panel in pixels."""


def side_by_side(panels: list[dict[str, Any]]) -> dict[str, Any]:
    """Panels of fixed width in one row, one legend for all."""
    drawn = []
    for panel in panels:
        own = {key: value for key, value in panel.items() if key not in ("config", "autosize")}
        drawn.append({**own, "width": WIDTH})
    return {
        "$schema": panels[0]["$schema"],
        "hconcat": drawn,
        "config": panels[0]["config"],
        "resolve": {"scale": {"color": "independent"}},
    }


def inked(spec: Any) -> Any:
    """The same with a fixed colour where a page would put its own."""
    if isinstance(spec, dict):
        return {key: inked(value) for key, value in spec.items()}
    if isinstance(spec, list):
        return [inked(value) for value in spec]
    return INK if spec == "currentColor" else spec


def main(run: Path) -> None:
    """Write the picture of one run."""
    plot = overview(in_order(score(observe_run(RunDirectory.read(run)))))
    if plot is None:
        raise SystemExit(f"{run} has no score to draw")
    panels = [{**panel.spec, "title": {"text": panel.title, "color": INK}} for panel in plot.panels]
    PICTURE.write_text(vl_convert.vegalite_to_svg(inked(side_by_side(panels))), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
