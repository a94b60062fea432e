"""Heat maps over layers and tokens, as causal tracing draws them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pitfalls.errors import PitfallsError
from pitfalls.metrics.optional import optional

ENDINGS = (".html", ".png", ".svg")

_STEP, _ROW = 8, 22
"""Pixels of a cell."""
_ALL_NUMBERED = 12
"""Layers up to which each has its number below it; of more, every fifth."""
_COLOURS = ("#4a1486", "#00441b", "#99000d")
"""Colour of the greatest effect in each map; none, or a negative one, is white."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One of the maps beside each other."""

    title: str
    layer_title: str
    cells: Sequence[Mapping[str, Any]]
    """Objects with `layer`, `role` and `effect`; what is missing stays blank."""


def check_picture(path: Path) -> None:
    """Refuse early what could not be drawn late.

    Raises:
        PitfallsError: an ending that stands for no format, no such folder, or the extra `report` is
            not installed.
    """
    if path.suffix not in ENDINGS:
        raise PitfallsError(f"{path}: expected a name that ends with {', '.join(ENDINGS)}")
    if not path.parent.is_dir():
        raise PitfallsError(f"{path.parent} is no folder; make it or give another name")
    optional("altair")
    optional("vl_convert")


def heat_maps(title: str, roles: Sequence[str], panels: Sequence[Panel]) -> Any:
    """An Altair chart: layers from left to right, `roles` from top to bottom."""
    alt = optional("altair")
    charts = [
        _panel(panel, roles, labels=number == 0, colour=colour)
        for number, (panel, colour) in enumerate(zip(panels, _COLOURS, strict=False))
    ]
    return (
        alt.hconcat(*charts, spacing=12)
        .resolve_scale(color="independent")
        .properties(title=alt.Title(title, anchor="middle", fontSize=13), background="white")
        .configure_view(stroke="#888", strokeWidth=2)
        .configure_axis(grid=False, ticks=False, domain=False)
    )


def picture(chart: Any, ending: str) -> bytes:
    """A chart as a file of that ending, which opens without a network."""
    convert = optional("vl_convert")
    match ending:
        case ".svg":
            return str(convert.vegalite_to_svg(chart.to_dict())).encode()
        case ".png":
            return bytes(convert.vegalite_to_png(chart.to_dict(), scale=2))
        case _:
            return str(chart.to_html(inline=True)).encode()


def _panel(panel: Panel, roles: Sequence[str], *, labels: bool, colour: str) -> Any:
    alt = optional("altair")
    axis = alt.Axis(title=None, labelLimit=200) if labels else None
    legend = alt.Legend(title="AIE", gradientLength=_ROW * len(roles), format=".2~g", tickCount=4)
    layers = sorted({cell["layer"] for cell in panel.cells})
    every = 1 if len(layers) <= _ALL_NUMBERED else 5
    most = max([0.0, *(cell["effect"] for cell in panel.cells)]) or 1.0
    scale = alt.Scale(domain=[0, most], range=["white", colour], interpolate="rgb", clamp=True)
    return (
        alt.Chart(
            alt.Data(values=list(panel.cells)),
            width=alt.Step(_STEP),
            height=alt.Step(_ROW),
            title=alt.Title(panel.title, fontSize=11, fontWeight="normal"),
        )
        .mark_rect(aria=False)
        .encode(
            x=alt.X(
                "layer:O",
                title=panel.layer_title,
                axis=alt.Axis(labelAngle=0, values=[n for n in layers if n % every == 0]),
                scale=alt.Scale(padding=0),
            ),
            y=alt.Y(
                "role:N",
                sort=list(roles),
                axis=axis,
                scale=alt.Scale(domain=list(roles), padding=0),
            ),
            color=alt.Color("effect:Q", scale=scale, legend=legend),
            tooltip=["role:N", "layer:O", alt.Tooltip("effect:Q", format=".4f"), "n:Q"],
        )
    )
