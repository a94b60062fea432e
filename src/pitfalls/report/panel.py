"""The pictures' common frame: panels as wide as the window lets them be, on equal axes."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pitfalls.metrics.optional import optional
from pitfalls.metrics.scores import Score
from pitfalls.report.layout import collection_of, section_title
from pitfalls.report.measures import kind_word
from pitfalls.vocabulary import KIND_WORDS

_COLOURS = ("#4a87c9", "#d1722a", "#2f9c74", "#a56bd0", "#c95b83")
"""For the kinds of case in turn; each stands out on white and on black."""
_LINE, _GAP = 13, 9
"""Pixels for each interval, and between editors."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One drawing, with a description for readers who cannot see it."""

    key: str
    title: str
    spec: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plot:
    """Panels that are compared with each other; all have the same axes unless it is said."""

    key: str
    title: str
    caption: str
    panels: tuple[Panel, ...]


def interval_rows(scores: Sequence[Score], among: Sequence[Score]) -> list[dict[str, Any]]:
    """Rows for `intervals`, one for every score that is a number with a finite interval.

    Args:
        scores: those to draw, × 100.
        among: all scores of the page; where they are of several runs, models or collections,
            each row says which it is of.
    """
    several = len({(one.run, one.model, collection_of(one.data)) for one in among}) > 1
    drawable = (s for s in scores if all(map(math.isfinite, (s.value, s.low, s.high))))
    return [_row(one, section_title(one, among) if several else "") for one in drawable]


def intervals(
    key: str,
    title: str,
    better: str,
    rows: Sequence[dict[str, Any]],
    domain: Sequence[float],
    *,
    lines: int = 0,
) -> Panel:
    """A dot and its 95 % interval for each editor and kind of case.

    Args:
        key: of the panel, unique on the page.
        title: what stands above it.
        better: which way is better.
        rows: from `interval_rows`.
        domain: both ends of the axis.
        lines: room for at least so many intervals for each editor, so that panels side by side
            have their editors at the same heights.
    """
    alt = altair()
    series = list(dict.fromkeys(row["series"] for row in rows))
    editors = list(dict.fromkeys(row["editor"] for row in rows))
    height = len(editors) * (_LINE * max(lines, len(series)) + _GAP)
    base = alt.Chart(height=height).encode(
        y=alt.Y("editor:N", title=None, sort=editors, axis=alt.Axis(labelLimit=140)),
        yOffset=alt.YOffset("series:N", sort=series),
        color=_colour(rows),
        tooltip=[alt.Tooltip(f"{name}:N") for name in ("editor", "data", "source", "text", "n")],
    )
    at = alt.X(
        "low:Q",
        title=f"× 100, {better}",
        scale=alt.Scale(domain=list(domain)),
        axis=alt.Axis(tickCount=5),
    )
    rules = base.mark_rule(strokeWidth=2).encode(x=at, x2="high:Q")
    points = base.mark_point(filled=True, size=60, opacity=1).encode(
        x="value:Q", shape=_shape(rows)
    )
    chart = alt.layer(rules, points, data=alt.Data(values=list(rows)))
    return Panel(key, title, spec(chart, _told(title, better, rows)))


def spec(chart: Any, description: str) -> dict[str, Any]:
    """Vega-Lite as wide as its place on the page, in the page's colour of text."""
    ink = "currentColor"
    axis = {"labelColor": ink, "titleColor": ink, "domainColor": ink, "tickColor": ink}
    text = {"labelColor": ink, "titleColor": ink}
    size = {"labelFontSize": 12, "titleFontSize": 12}
    made: dict[str, Any] = (
        chart.properties(
            width="container",
            autosize={"type": "fit-x", "contains": "padding"},
            description=description,
        )
        .configure(background="transparent", padding=2)
        .configure_axis(**axis, **size, grid=True, gridColor="#8884", titleFontWeight="normal")
        .configure_legend(**text, labelFontSize=12)
        .configure_view(stroke="#8886")
        .to_dict()
    )
    return made


def reach(values: Iterable[float], *, least: float = 0.0, margin: float = 1.05) -> list[float]:
    """An axis from `least` or below to above all values."""
    listed = [least, *values]
    return [min(listed) * margin, max(*listed, least + 1e-9) * margin]


def altair() -> Any:
    """The drawing library, an extra."""
    return optional("altair")


def _colour(rows: Sequence[dict[str, Any]]) -> Any:
    """A colour for each kind of case, the same in every panel."""
    alt = altair()
    kinds = [kind_word(kind) for kind in KIND_WORDS]
    used = [kind for kind in kinds if any(row["kind"] == kind for row in rows)]
    colours = [_COLOURS[kinds.index(kind) % len(_COLOURS)] for kind in used]
    return alt.Color(
        "kind:N",
        scale=alt.Scale(domain=used, range=colours),
        legend=alt.Legend(title=None, orient="top"),
    )


def _told(title: str, better: str, rows: Sequence[dict[str, Any]]) -> str:
    """The panel in words."""
    told = "; ".join(
        f"{' '.join(filter(None, (r['editor'], r['kind'], r['source'])))} {r['text']}" for r in rows
    )
    return f"{title}, × 100 with 95 % intervals, {better}: {told}"


def _shape(rows: Sequence[dict[str, Any]]) -> Any:
    """Runs, models and collections are told apart by shape, if there are several."""
    alt = altair()
    if len({row["source"] for row in rows}) < 2:
        return alt.value("circle")
    legend = alt.Legend(title=None, orient="top", direction="vertical", labelLimit=400)
    return alt.Shape("source:N", legend=legend, sort=None)


def _row(one: Score, source: str) -> dict[str, Any]:
    value, low, high = (100 * end for end in (one.value, one.low, one.high))
    kind = kind_word(one.kind)
    return {
        "editor": one.editor,
        "kind": kind,
        "data": one.data,
        "source": source,
        "series": f"{kind} {source}",
        "value": value,
        "low": low,
        "high": high,
        "n": one.n,
        "text": f"{value:.2f} [{low:.1f}, {high:.1f}]",
    }
