"""Results of `pitfalls locate`, as words, a table and heat maps."""

import json
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pitfalls.report.heatmap import Panel, heat_maps

if TYPE_CHECKING:  # torch, which a user who asks for help should not wait for
    from pitfalls.locate.located import Located


def tell(found: "Located", console: Console) -> None:
    """Print the effects, the layers that matter most, and the settings that follow."""
    n, best = len(found.traces), found.proposal
    console.print(
        f"{found.model}: {n} facts known, of {found.asked} tried. Corrupted subjects take the "
        f"object's probability from {found.clean:.3f} to {found.corrupted:.3f}.\n"
        "Most that one restoration gives back on average (AIE), and its layer:"
    )
    console.print(_table(found))
    console.print(
        f"MLPs at the subject's last token matter most around layer {best.peak} "
        f"(95 % of resamplings of the facts: {best.low} to {best.high}). Proposed settings:"
    )
    for word in _set_words(best.settings):
        console.print(f"  --set {shlex.quote(word)}", soft_wrap=True)


def _table(found: "Located") -> Table:
    """A row for each role: the greatest effect over layers, for every site."""
    from pitfalls.locate.recall import ROLES

    panels = _titles(found)
    table = Table("token", "facts", box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for title in panels.values():
        table.add_column(title, justify="right")
    for column, role in enumerate(ROLES):
        averages = [found.averages[site] for site in panels]
        if n := int(averages[0].n[column]):
            peaks = [
                (each.mean[:, column].max(), each.mean[:, column].argmax()) for each in averages
            ]
            cells = [f"{effect:.3f} at {layer:2d}" for effect, layer in peaks]
            table.add_row(role, str(n), *cells)
    return table


def _titles(found: "Located") -> dict[str, str]:
    """Name of a site that the model has → title of what is restored there."""
    from pitfalls.locate.sites import SITES

    sizes = {site: found.window if site.windowed else 1 for site in SITES}
    return {
        site.name: f"{size} {site.title}{'s' * (size > 1)}"
        for site, size in sizes.items()
        if site.name in found.averages
    }


def _set_words(settings: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Words for `pitfalls run --set`: JSON without blanks, which for these values is TOML."""
    for editor, values in settings.items():
        for name, value in values.items():
            yield f"{editor}.{name}={json.dumps(value, separators=(',', ':'))}"


def chart(found: "Located") -> Any:
    """Heat maps of the average indirect effect, one for each site."""
    from pitfalls.locate.averages import as_rows
    from pitfalls.locate.recall import ROLES

    rows = as_rows(found.averages)
    panels = [
        Panel(
            title=f"restoring {title}",
            layer_title="layer" if site == "state" else "middle layer",
            cells=[row for row in rows if row["site"] == site],
        )
        for site, title in _titles(found).items()
    ]
    title = f"{found.model}: average indirect effect over {len(found.traces)} facts"
    return heat_maps(title, ROLES, panels)
