"""The page's pictures for all kinds of case: the overview, every metric, loss curves."""

from collections.abc import Sequence
from typing import Any

from pitfalls.metrics.metric import Metric
from pitfalls.metrics.scores import Score
from pitfalls.metrics.table import METRICS
from pitfalls.report.gather import Losses
from pitfalls.report.measures import measures
from pitfalls.report.panel import Panel, Plot, altair, interval_rows, intervals, reach, spec

_STATES = {"theta_m": "first edit (θm)", "theta_prime": "both (θ')", "theta2": "second alone (θ2)"}
_SHARES = ((0.0, 1.0), (-1.0, 1.0))
"""Ranges that an axis shows whole, so that panels can be compared."""


def overview(scores: Sequence[Score]) -> Plot | None:
    """Editors against the measures of the first screen, all on one axis from 0 to 100."""
    found = [
        (measure, interval_rows([one for one in scores if measure.reads(one)], scores))
        for measure in measures(scores)
    ]
    lines = max((len({row["series"] for row in rows}) for _, rows in found), default=0)
    panels = [
        intervals(
            f"overview-{measure.name}",
            measure.title,
            "more is better" if measure.increasing else "less is better",
            rows,
            (0.0, 100.0),
            lines=lines,
        )
        for measure, rows in found
        if rows
    ]
    if not panels:
        return None
    return Plot(
        "overview",
        "Every editor at a glance",
        "Dots are means over cases, lines their 95 % intervals.",
        tuple(panels),
    )


def metric_plots(scores: Sequence[Score]) -> Plot | None:
    """Every metric: a point and its interval for each editor, model and data set."""
    panels = []
    for name, metric in METRICS.items():
        if rows := interval_rows([one for one in scores if one.metric == name], scores):
            better = "more is better" if metric.increasing else "less is better"
            domain = _domain(metric, scores[0], rows)
            panels.append(intervals(f"plot-{name}", _titled(metric), better, rows, domain))
    if not panels:
        return None
    return Plot(
        "metrics",
        "Every metric",
        "Dots are means over cases, lines their 95 % intervals. Shares have one axis, from 0 to "
        "100; metrics without two ends have one of their own.",
        tuple(panels),
    )


def loss_plot(losses: Sequence[Losses]) -> Plot | None:
    """The median of the objective at every step, and where the middle 80 % of the fits are."""
    panels: dict[str, list[dict[str, Any]]] = {}
    several = len({one.model for one in losses}) > 1
    for one in losses:
        title = f"{one.editor} · {one.model}" if several else one.editor
        for step, (low, middle, high) in enumerate(one.steps):
            if len(one.steps) > 1:  # MEND's networks say in one step what to change
                state = _STATES.get(one.state, one.state)
                row = {"state": state, "step": step, "low": low, "median": middle, "high": high}
                panels.setdefault(title, []).append(row)
    if not panels:
        return None
    rows = [row for own in panels.values() for row in own]
    height = reach(row["high"] for row in rows)
    last = max(row["step"] for row in rows)
    return Plot(
        "losses",
        "Loss curves",
        "The objective of each edit by optimisation step: the median over all fits, and the band "
        "from the 10th to the 90th percentile. All on the same axes.",
        tuple(
            Panel(f"plot-losses-{i}", title, _curves(title, own, height, last))
            for i, (title, own) in enumerate(panels.items())
        ),
    )


def _titled(metric: Metric) -> str:
    return f"{metric.title}: {metric.question}"


def _domain(metric: Metric, one: Score, rows: Sequence[dict[str, Any]]) -> Sequence[float]:
    """The whole range of a share or of a change in shares; else what the rows need."""
    ends = metric.presets[one.preset].value_range
    if ends in _SHARES:
        return [100 * end for end in ends]
    return reach(end for row in rows for end in (row["low"], row["high"]))


def _curves(
    title: str, rows: list[dict[str, Any]], height: Sequence[float], last: int
) -> dict[str, Any]:
    alt = altair()
    legend = alt.Legend(orient="top", symbolType="stroke", symbolOpacity=1)
    base = alt.Chart(height=150).encode(
        x=alt.X("step:Q", scale=alt.Scale(domain=[0, last]), axis=alt.Axis(tickMinStep=1)),
        color=alt.Color("state:N", title=None, sort=_states(rows), legend=legend),
    )
    y = alt.Y("low:Q", title="loss", scale=alt.Scale(domain=height))
    band = base.mark_area(opacity=0.15).encode(y=y, y2="high:Q")
    chart = alt.layer(band, base.mark_line().encode(y="median:Q"), data=alt.Data(values=rows))
    ends = "; ".join(
        f"{state} from {own[0]['median']:.2f} to {own[-1]['median']:.2f}"
        for state in _states(rows)
        if (own := [row for row in rows if row["state"] == state])
    )
    return spec(chart, f"{title}: median loss by step; {ends}.")


def _states(rows: Sequence[dict[str, Any]]) -> list[str]:
    """States in words: the paper's in their order, those of other plans behind them."""
    return list(dict.fromkeys((*_STATES.values(), *(row["state"] for row in rows))))
