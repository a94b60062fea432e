"""`pitfalls locate`: find where a model recalls facts, and propose layers to edit."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeAlias

import typer
from rich.console import Console

from pitfalls.cases.drawing import Dice
from pitfalls.cli.located import chart, tell
from pitfalls.cli.options import AsJson, Device, Dtype, ModelArgument
from pitfalls.cli.progress import progress_on
from pitfalls.cli.sources import open_source
from pitfalls.disk import write_bytes
from pitfalls.facts import Fact
from pitfalls.graph.by_name import STARTER
from pitfalls.report.heatmap import check_picture, picture
from pitfalls.settings import LARGEST_SEED

FactCount: TypeAlias = Annotated[
    int, typer.Option(min=1, help="Trace this many facts that the model knows.")
]
KnownRank: TypeAlias = Annotated[
    int, typer.Option(min=1, help="A fact is known if its object is among so many first choices.")
]
Source: TypeAlias = Annotated[
    str, typer.Option("--from", help="starter, or a folder of triples and labels.")
]
Samples: TypeAlias = Annotated[int, typer.Option(min=1, help="Corruptions of each subject.")]
Noise: TypeAlias = Annotated[
    float, typer.Option(help="Noise, in standard deviations of the subjects' embeddings.")
]
Window: TypeAlias = Annotated[
    int | None,
    typer.Option(min=1, help="MLPs, or attentions, restored together; 10 of 48 if left out."),
]
NoiseSeed: TypeAlias = Annotated[
    int,
    typer.Option(
        min=0,
        max=LARGEST_SEED,
        help="Seed of the noise, and of which facts are tried.",
    ),
]
Plot: TypeAlias = Annotated[
    Path | None, typer.Option(help="Draw the heat maps into a .html, .png or .svg file.")
]


def locate(
    model: ModelArgument,
    *,
    facts: FactCount = 40,
    rank: KnownRank = 1,
    source: Source = STARTER,
    samples: Samples = 10,
    noise: Noise = 3.0,
    window: Window = None,
    seed: NoiseSeed = 0,
    dtype: Dtype = "auto",
    device: Device = "auto",
    plot: Plot = None,
    as_json: AsJson = False,
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
        tell(found, Console(highlight=False))
    if plot is not None:
        write_bytes(plot, picture(chart(found), plot.suffix))


def _shuffled(facts: Sequence[Fact], seed: int) -> list[Fact]:
    """Facts in an order that depends on ids and the seed alone; all relations come early."""
    dice = Dice(seed)
    return sorted(facts, key=lambda f: dice.roll(f.subject.id, f.relation.id, f.object.id))
