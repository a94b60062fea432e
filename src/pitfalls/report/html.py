"""The report as one page: no server, no network, nothing beside the file."""

import base64
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from pitfalls.errors import PitfallsError
from pitfalls.metrics.breakdown import FACETS, breakdown
from pitfalls.metrics.optional import optional
from pitfalls.metrics.scores import Score, score
from pitfalls.metrics.table import METRICS
from pitfalls.records.observation import Observation
from pitfalls.report.differences import Change, certain, changes
from pitfalls.report.explorer import explorer
from pitfalls.report.findings import findings, needed
from pitfalls.report.gather import Losses, gather
from pitfalls.report.grid import Grid, breakdown_grids, interval, score_grids
from pitfalls.report.layout import Cell, in_order
from pitfalls.report.measures import kind_word, measures
from pitfalls.report.object_plot import probability_plot
from pitfalls.report.panel import Plot
from pitfalls.report.paper import paper_editors
from pitfalls.report.plots import loss_plot, metric_plots, overview
from pitfalls.report.tidy import paper_value
from pitfalls.vocabulary import KIND_WORDS, Preset

MOST_RESULTS = 25_000
"""Cases under editors that the explorer holds; keeps the page under 5 MB."""
MOST_SENTENCES = 5
"""Certain differences that the first screen tells; the table has all."""
STYLES = ("page.css", "cases.css")
SCRIPTS = (
    "page.js",
    "address.js",
    "filters.js",
    "scores.js",
    "outcomes.js",
    "cases.js",
    "case.js",
    "graph.js",
    "start.js",
)
"""The page's program, in the order in which it is read."""


def html_report(
    paths: Sequence[Path], *, preset: Preset = "authors", base: str | None = None
) -> str:
    """The page of any number of runs.

    Args:
        paths: run directories, finished or not.
        preset: whose arithmetic.
        base: the run that others are compared with; the first one if not given.

    Raises:
        PitfallsError: a run cannot be read, `base` is none of the runs, or the extra `report` is
            not installed.
    """
    gathered = gather(paths)
    observations = _by_editor(gathered.observations)
    names = [run.name for run in gathered.runs]
    if base is not None and (base := str(Path(base))) not in names:
        raise PitfallsError(f"--base {base} is none of the runs: {', '.join(names)}")
    scores = in_order(score(observations, preset=preset))
    data = explorer(
        observations,
        {run.name: run.header for run in gathered.runs},
        preset=preset,
        most=MOST_RESULTS,
    )
    differences = list(changes(observations, scores, base, preset))
    picture = overview(scores)
    plots = list(_plots(observations, gathered.losses, scores))
    shown = [*plots, *filter(None, [picture])]
    specs = {panel.key: panel.spec for plot in shown for panel in plot.panels}
    return _template().render(
        preset=preset,
        runs=gathered.runs,
        notes=[(run.name, note) for run in gathered.runs for note in run.notes],
        **_first_screen(scores, differences),
        overview=picture,
        rows=(rows := [_row(one) for one in scores]),
        columns=_columns(rows),
        grids=score_grids(scores),
        changes=differences,
        parts=list(_parts(observations, preset)),
        plots=plots,
        left_out=data.pop("left_out"),
        vega=_vega() if specs else "",
        packed=_packed({**data, "plots": specs}),
        style="".join(map(_asset, STYLES)),
        script="".join(map(_asset, SCRIPTS)),
    )


def _first_screen(scores: Sequence[Score], differences: Sequence[Change]) -> dict[str, Any]:
    """The findings in words. A reference, such as `undo`, is no finding."""
    own = [one for one in scores if not one.reference]
    asked = measures(own)
    return {
        "measures": asked,
        "findings": findings(own, asked),
        "needed": needed(own, asked),
        "kinds": {kind_word(one.kind): KIND_WORDS[one.kind].explained for one in own},
        "certain": [(one, certain(one, asked)) for one in differences if one.found],
        "most": MOST_SENTENCES,
    }


def _by_editor(observations: Sequence[Observation]) -> list[Observation]:
    """Observations by editor: the paper's editors in its order, others after them."""
    order = [*paper_editors(), *sorted({case.source.editor for case in observations})]
    return sorted(observations, key=lambda case: order.index(case.source.editor))


def _plots(
    observations: Sequence[Observation], losses: Sequence[Losses], scores: Sequence[Score]
) -> Iterator[Plot]:
    editors = list(dict.fromkeys(case.source.editor for case in observations))
    curves = sorted(losses, key=lambda one: editors.index(one.editor))
    found = (metric_plots(scores), probability_plot(observations), loss_plot(curves))
    yield from filter(None, found)


def _row(one: Score) -> dict[str, Any]:
    """A line of the table that sorts and filters; the values are those of `pitfalls score`."""
    cell = Cell(one.value, one.low, one.high)
    defined = one.as_json()["value"] is not None
    printed = paper_value(one)
    return {
        "run": one.run,
        "model": one.model,
        "editor": one.editor,
        "data": one.data,
        "metric": METRICS[one.metric].title,
        "question": METRICS[one.metric].question,
        "better": "↑" if METRICS[one.metric].increasing else "↓",
        "n": one.n,
        "left out": one.guarded + one.failed,
        "value": f"{100 * one.value:.2f}" if defined else "undefined",
        "interval": interval(cell) if defined else "",
        "agree": one.agree,
        "paper": "" if printed is None else f"{100 * printed:.2f}",
    }


def _columns(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The important columns come first; a column that is the same in every row is left out."""
    always = ["editor", "data", "metric", "value", "interval", "n"]
    places = [name for name in ("model", "run") if len({row[name] for row in rows}) > 1]
    return always + [name for name in ("left out", "paper") if any(r[name] for r in rows)] + places


def _parts(observations: Sequence[Observation], preset: Preset) -> Iterator[tuple[str, list[Grid]]]:
    """Every facet that tells at least two groups of cases apart."""
    for facet in FACETS:
        broken = breakdown(observations, facet, preset=preset)
        if len(broken) > 1:
            ordered = {value: in_order(scores) for value, scores in broken.items()}
            yield facet, breakdown_grids(ordered, facet)


def _packed(value: Mapping[str, Any]) -> str:
    """JSON, deflated, as text: a browser undoes it by itself."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def _vega() -> str:
    bundle: str = optional("vl_convert").javascript_bundle()
    return bundle.replace("</script", "<\\/script")


def _template() -> Any:
    jinja2 = optional("jinja2")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["cases_of"] = _cases_of
    return environment.from_string(_asset("page.html"))


def _cases_of(one: Score, *, one_run: bool) -> str:
    """The address, behind `#cases?`, of the cases that a score is about, the worst first."""
    place = {} if one_run else {"run": one.run}
    place |= {"data": one.data, "editor": one.editor, "metric": one.metric, "sort": "worst"}
    return urlencode(place, safe="/:")


def _asset(name: str) -> str:
    return files("pitfalls.report").joinpath("page", name).read_text("utf-8")
