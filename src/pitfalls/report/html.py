"""The report as one page: no server, no network, nothing beside the file."""

import base64
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from pitfalls.errors import PitfallsError
from pitfalls.metrics.breakdown import FACETS, breakdown
from pitfalls.metrics.comparison import Axis, Comparison, compare
from pitfalls.metrics.optional import optional
from pitfalls.metrics.scores import Score, score
from pitfalls.metrics.table import METRICS
from pitfalls.records.observation import Observation
from pitfalls.report.explorer import explorer
from pitfalls.report.gather import Gathered, gather
from pitfalls.report.grid import Grid, breakdown_grids, comparison_grid, interval, score_grids
from pitfalls.report.layout import Cell, in_order
from pitfalls.report.plots import Plot, loss_plot, metric_plots, probability_plot
from pitfalls.report.tidy import paper_value
from pitfalls.vocabulary import Preset

MOST_RESULTS = 25_000
"""Cases under editors that the explorer holds; keeps the page under 5 MB."""


@dataclass(frozen=True, slots=True)
class Change:
    """One table of differences, or why there is none."""

    title: str
    grid: Grid | None
    note: str = ""


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
    names = [run.name for run in gathered.runs]
    if base is not None and (base := str(Path(base))) not in names:
        raise PitfallsError(f"--base {base} is none of the runs: {', '.join(names)}")
    scores = in_order(score(gathered.observations, preset=preset))
    data = explorer(
        gathered.observations,
        {run.name: run.header for run in gathered.runs},
        preset=preset,
        most=MOST_RESULTS,
    )
    plots = list(_plots(gathered, scores))
    return _template().render(
        preset=preset,
        runs=gathered.runs,
        notes=[(run.name, note) for run in gathered.runs for note in run.notes],
        rows=[_row(one) for one in scores],
        grids=score_grids(scores),
        changes=list(_changes(gathered.observations, scores, base, preset)),
        parts=list(_parts(gathered.observations, preset)),
        plots=plots,
        left_out=data.pop("left_out"),
        vega=_vega() if plots else "",
        packed=_packed({**data, "plots": {plot.key: plot.spec for plot in plots}}),
        style=_asset("page.css"),
        script=_asset("page.js"),
    )


def _plots(gathered: Gathered, scores: Sequence[Score]) -> Iterator[Plot]:
    yield from metric_plots(scores)
    for plot in (probability_plot(gathered.observations), loss_plot(gathered.losses)):
        if plot is not None:
            yield plot


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
        "left_out": one.guarded + one.failed,
        "raw": one.value if defined else "",
        "value": f"{100 * one.value:.2f}" if defined else "undefined",
        "interval": interval(cell) if defined else "",
        "agree": one.agree,
        "paper": "" if printed is None else f"{100 * printed:.2f}",
    }


def _changes(
    observations: Sequence[Observation], scores: Sequence[Score], base: str | None, preset: Preset
) -> Iterator[Change]:
    """Runs against the baseline, models and editors against the first one."""
    titles: dict[Axis, str] = {
        "run": "What changed against the run",
        "model": "Models, against",
        "editor": "Editors, against",
    }
    for axis, title in titles.items():
        edited = [one for one in scores if one.n and not one.reference]
        names = list(dict.fromkeys(getattr(one, axis) for one in edited))
        if len(names) > 1:
            first = base if axis == "run" and base else names[0]
            yield _change(observations, axis, f"{title} {first}", first, preset)


def _parts(observations: Sequence[Observation], preset: Preset) -> Iterator[tuple[str, list[Grid]]]:
    """Every facet that tells at least two groups of cases apart."""
    for facet in FACETS:
        broken = breakdown(observations, facet, preset=preset)
        if len(broken) > 1:
            ordered = {value: in_order(scores) for value, scores in broken.items()}
            yield facet, breakdown_grids(ordered, facet)


def _change(
    observations: Sequence[Observation], axis: Axis, title: str, base: str, preset: Preset
) -> Change:
    try:
        found: list[Comparison] = compare(observations, axis=axis, base=base, preset=preset)
    except PitfallsError as error:
        return Change(title, None, str(error))
    if not found:
        return Change(title, None, "No two of them have a case in common.")
    return Change(title, comparison_grid(found))


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
    return environment.from_string(_asset("page.html"))


def _asset(name: str) -> str:
    return files("pitfalls.report").joinpath("page", name).read_text("utf-8")
