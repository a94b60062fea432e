"""`pitfalls locate`: where a model recalls facts, and which layers that proposes to edit."""

import json
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pitfalls.cases.drawing import Dice
from pitfalls.cli.progress import progress_on
from pitfalls.cli.settings import WEIGHTS_HELP
from pitfalls.cli.sources import open_source
from pitfalls.disk import write_bytes
from pitfalls.facts import Fact
from pitfalls.graph.by_name import STARTER
from pitfalls.report.heatmap import Panel, check_picture, heat_maps, picture
from pitfalls.settings import LARGEST_SEED

if TYPE_CHECKING:
    from pitfalls.locate.located import Located


def locate(
    model: Annotated[str, typer.Argument(help="Directory, GGUF file, packaged name or hub id.")],
    *,
    facts: Annotated[
        int, typer.Option(min=1, help="Trace so many facts that the model knows.")
    ] = 40,
    rank: Annotated[
        int,
        typer.Option(min=1, help="Known is what the model has among its so many first choices."),
    ] = 1,
    source: Annotated[
        str, typer.Option("--from", help="starter, or a folder of triples and labels.")
    ] = STARTER,
    samples: Annotated[int, typer.Option(min=1, help="How often each subject is corrupted.")] = 10,
    noise: Annotated[
        float, typer.Option(help="In standard deviations of the subjects' embeddings.")
    ] = 3.0,
    window: Annotated[
        int | None,
        typer.Option(min=1, help="MLPs, or attentions, restored together; 10 of 48 if left out."),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(min=0, max=LARGEST_SEED, help="Of the noise and of which facts are tried."),
    ] = 0,
    dtype: Annotated[str, typer.Option(help=WEIGHTS_HELP)] = "float32",
    device: Annotated[str, typer.Option(help="A torch device, such as cuda:0.")] = "cpu",
    plot: Annotated[
        Path | None, typer.Option(help="Draw the heat maps into a .html, .png or .svg file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Trace where a model recalls facts that it knows, and propose layers for ROME and MEMIT.

    Example: pitfalls locate smollm2-135m --dtype bfloat16 --plot tracing.svg
    """
    if plot is not None:
        check_picture(plot)
    from pitfalls.locate.located import locate as find  # torch, only once the input is known good
    from pitfalls.locate.outcome import Tracing
    from pitfalls.models.language_model import LanguageModel
    from pitfalls.models.weights.loading import check_loadable

    check_loadable(dtype, device)
    settings = Tracing(samples=samples, noise=noise, window=window, seed=seed)
    candidates = _shuffled(open_source(source).graph.facts, seed)
    progress = progress_on()
    loaded = LanguageModel.load(model, dtype=dtype, device=device, progress=progress)
    found = find(loaded, candidates, count=facts, rank=rank, settings=settings, progress=progress)
    if as_json:
        print(json.dumps(found.as_json(), indent=2, ensure_ascii=False, allow_nan=False))
    else:
        _tell(found, Console(highlight=False))
    if plot is not None:
        write_bytes(plot, picture(_chart(found), plot.suffix))


def _shuffled(facts: Sequence[Fact], seed: int) -> list[Fact]:
    """In an order that hangs on ids and the seed alone, in which all relations come early."""
    dice = Dice(seed)
    return sorted(facts, key=lambda f: dice.roll(f.subject.id, f.relation.id, f.object.id))


def _tell(found: "Located", console: Console) -> None:
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
    """A row for each role: the greatest effect over layers, of every site."""
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
    """Name of a site that the model has → what is restored there."""
    from pitfalls.locate.sites import SITES

    sizes = {site: found.window if site.windowed else 1 for site in SITES}
    return {
        site.name: f"{size} {site.title}{'s' * (size > 1)}"
        for site, size in sizes.items()
        if site.name in found.averages
    }


def _set_words(settings: dict[str, dict[str, Any]]) -> Iterator[str]:
    """As `pitfalls run --set` takes them; without blanks a number and a list are TOML in JSON."""
    for editor, values in settings.items():
        for name, value in values.items():
            yield f"{editor}.{name}={json.dumps(value, separators=(',', ':'))}"


def _chart(found: "Located") -> Any:
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
