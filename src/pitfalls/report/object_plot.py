"""The picture of round trips: how probable the true objects are before and after one."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pitfalls.records.observation import Observation
from pitfalls.report.panel import Panel, Plot, altair, reach, spec
from pitfalls.vocabulary import ROUND_KINDS

_LEAST = 1e-12
"""Probabilities below are drawn here; a logarithm of 0 cannot be."""


def probability_plot(observations: Sequence[Observation]) -> Plot | None:
    """How probable the true objects are before and after a round-edit, for each editor."""
    shares = list(_shares(observations))
    if not shares:
        return None
    height = reach(row["share"] for row in shares)
    panels: dict[str, list[dict[str, Any]]] = {}
    for row in shares:
        panels.setdefault(f"{row['editor']}: {row['object']}", []).append(row)
    return Plot(
        "objects",
        "How probable the true objects are, before and after a round trip",
        "Histograms of probabilities: of the edited object o1, and of the other true objects, in "
        "the unedited model (before) and after both edits (after). All on the same axes.",
        tuple(
            Panel(f"plot-objects-{i}", title, _histogram(title, rows, height))
            for i, (title, rows) in enumerate(panels.items())
        ),
    )


def _histogram(title: str, rows: list[dict[str, Any]], height: Sequence[float]) -> dict[str, Any]:
    alt = altair()
    legend = alt.Legend(orient="top", symbolOpacity=1)
    chart = (
        alt.Chart(alt.Data(values=rows), height=110)
        .mark_area(interpolate="step-after", opacity=0.45, line=True)
        .encode(
            x=alt.X("log10:Q", title="log10 of the probability"),
            y=alt.Y(
                "share:Q", title="share of objects", stack=None, scale=alt.Scale(domain=height)
            ),
            color=alt.Color("when:N", title=None, sort=["before", "after"], legend=legend),
        )
    )
    return spec(chart, f"{title}: histogram of the probabilities before and after a round trip.")


def _shares(observations: Sequence[Observation]) -> Iterator[dict[str, Any]]:
    """Histograms, so that the page does not grow with the number of cases."""
    values: dict[tuple[str, str, str], list[float]] = {}
    for case in observations:
        if case.source.kind in ROUND_KINDS and case.failure is None:
            for (state, probe), p in case.probabilities.items():
                when = {"theta0": "before", "theta_prime": "after"}.get(state)
                which = "o1, edited" if probe == "original" else "other true objects"
                if when and probe != "intermediate":
                    key = (case.source.editor, which, when)
                    values.setdefault(key, []).append(math.log10(max(p, _LEAST)))
    if not values:
        return
    edges = np.linspace(math.floor(min(map(min, values.values()))), 0, 25)
    for (editor, which, when), logs in values.items():
        counts, _ = np.histogram(logs, edges)
        for edge, count in zip(edges.tolist(), (counts / len(logs)).tolist(), strict=False):
            yield {"editor": editor, "object": which, "when": when, "log10": edge, "share": count}
