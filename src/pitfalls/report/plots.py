"""Plots as Vega-Lite: intervals of every metric, object probabilities, loss curves."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pitfalls.metrics.optional import optional
from pitfalls.metrics.scores import Score
from pitfalls.metrics.table import METRICS
from pitfalls.records.observation import Observation
from pitfalls.report.gather import Losses
from pitfalls.vocabulary import ROUND_KINDS

_WIDTH = 420
_STATES = {"theta_m": "first edit (θm)", "theta_prime": "both (θ')", "theta2": "second alone (θ2)"}
_LEAST = 1e-12
"""Probabilities below are drawn here; a logarithm of 0 cannot be."""


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture and what it shows, for those who do not see it."""

    key: str
    title: str
    description: str
    spec: dict[str, Any]


def metric_plots(scores: Sequence[Score]) -> Iterator[Plot]:
    """For every metric: a point and its interval for each editor, model and data set."""
    for name, metric in METRICS.items():
        rows = [_score_row(one) for one in scores if one.metric == name and _drawable(one)]
        if rows:
            better = "more is better" if metric.increasing else "less is better"
            yield Plot(
                key=f"plot-{name}",
                title=f"{metric.title}: {metric.question}",
                description=f"{metric.title} × 100 with 95 % intervals, {better}. "
                + "; ".join(f"{r['editor']}, {r['data']}: {r['value']:.1f}" for r in rows),
                spec=_intervals(rows, metric.title, better),
            )


def probability_plot(observations: Sequence[Observation]) -> Plot | None:
    """How probable the true objects are before and after a round-edit, a line for each editor."""
    shares = list(_shares(observations))
    if not shares:
        return None
    alt = _altair()
    chart = (
        alt.Chart(alt.Data(values=shares), width=_WIDTH / 2, height=110)
        .mark_area(interpolate="step-after", opacity=0.45, line=True)
        .encode(
            x=alt.X("log10:Q", title="log10 of the probability"),
            y=alt.Y("share:Q", title="share of objects", stack=None),
            color=alt.Color("when:N", title=None, sort=["before", "after"]),
            row=alt.Row("editor:N", title=None),
            column=alt.Column("object:N", title=None, sort=["o1, edited", "other true objects"]),
        )
    )
    return Plot(
        key="plot-objects",
        title="How probable the true objects are, before and after a round-edit",
        description="Histograms of the probabilities of the edited object o1 and of the other true "
        "objects in the unedited model (before) and after both edits (after).",
        spec=_spec(chart),
    )


def loss_plot(losses: Sequence[Losses]) -> Plot | None:
    """The median of the objective at every step, and where the middle 80 % of the fits are."""
    rows = [
        {"editor": f"{one.editor} · {one.model}", "state": _STATES.get(one.state, one.state)}
        | {"step": step, "low": low, "median": middle, "high": high}
        for one in losses
        if len(one.steps) > 1  # MEND's networks say in one step what to change
        for step, (low, middle, high) in enumerate(one.steps)
    ]
    if not rows:
        return None
    alt = _altair()
    base = alt.Chart(width=_WIDTH * 0.7, height=140).encode(
        x=alt.X("step:Q"), color=alt.Color("state:N", title="fitted for")
    )
    band = base.mark_area(opacity=0.15).encode(y=alt.Y("low:Q", title="loss"), y2="high:Q")
    layers = alt.layer(band, base.mark_line().encode(y="median:Q"), data=alt.Data(values=rows))
    chart = layers.facet(facet=alt.Facet("editor:N", title=None), columns=2).resolve_scale(
        x="independent", y="independent"
    )
    return Plot(
        key="plot-losses",
        title="Loss curves",
        description="The objective of each edit by optimisation step: median over all fits, and "
        "the band from the 10th to the 90th percentile.",
        spec=_spec(chart),
    )


def _intervals(rows: Sequence[dict[str, Any]], title: str, better: str) -> dict[str, Any]:
    alt = _altair()
    base = alt.Chart(width=_WIDTH).encode(
        y=alt.Y("editor:N", title=None, sort=None),
        yOffset=alt.YOffset("source:N"),
        color=alt.Color("source:N", title=None, legend=_legend(rows)),
    )
    tooltip = [alt.Tooltip(f"{name}:N") for name in ("source", "editor", "data", "text", "n")]
    lines = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=f"{title} × 100 ({better})"), x2="high:Q", tooltip=tooltip
    )
    points = base.mark_point(filled=True, size=55, opacity=1).encode(x="value:Q", tooltip=tooltip)
    chart = alt.layer(lines, points, data=alt.Data(values=list(rows)))
    return _spec(chart.facet(row=alt.Row("data:N", title=None, sort=None)))


def _legend(rows: Sequence[dict[str, Any]]) -> Any:
    """None of one source: its name stands above the page."""
    several = len({row["source"] for row in rows}) > 1
    return _altair().Legend(orient="top", columns=2, labelLimit=300) if several else None


def _drawable(one: Score) -> bool:
    return all(map(math.isfinite, (one.value, one.low, one.high)))


def _score_row(one: Score) -> dict[str, Any]:
    value, low, high = (100 * end for end in (one.value, one.low, one.high))
    return {
        "editor": one.editor,
        "data": one.data,
        "source": f"{one.model} · {one.run}",
        "value": value,
        "low": low,
        "high": high,
        "n": one.n,
        "text": f"{value:.2f} [{low:.1f}, {high:.1f}]",
    }


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


def _spec(chart: Any) -> dict[str, Any]:
    """Text and lines take the page's colour, so that they are legible in the dark and on paper."""
    ink = "currentColor"
    axis = {"labelColor": ink, "titleColor": ink, "domainColor": ink, "tickColor": ink}
    text = {"labelColor": ink, "titleColor": ink}
    spec: dict[str, Any] = (
        chart.configure(background="transparent")
        .configure_axis(**axis, grid=True, gridColor="#8884")
        .configure_header(**text)
        .configure_legend(**text)
        .configure_view(stroke="#8886")
        .to_dict()
    )
    return spec


def _altair() -> Any:
    return optional("altair")
