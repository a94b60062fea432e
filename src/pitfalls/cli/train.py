"""`pitfalls train`: train what an editor needs before it can work."""

from pathlib import Path
from typing import Annotated

import typer

from pitfalls.cli.groups import Commands
from pitfalls.cli.options import MODEL, Device, Dtype, Model
from pitfalls.cli.progress import progress_on
from pitfalls.cli.settings import parse_settings, refuse_idle
from pitfalls.disk import check_file
from pitfalls.settings import check_some
from pitfalls.vocabulary import DATASETS

HELP = """Train what an editor needs beforehand.

Example: pitfalls train mend --model smollm2-135m --out mend.safetensors
"""

app = Commands(help=HELP, no_args_is_help=True)


@app.callback()
def group() -> None:
    """Train what an editor needs beforehand."""


@app.command()
def mend(
    out: Annotated[Path, typer.Option(help="The file to write; a training begun for it goes on.")],
    *,
    model: Model = MODEL,
    data: Annotated[
        str, typer.Option(help="Facts to learn from: starter, or the folder of a graph.")
    ] = "starter",
    leave_out: Annotated[
        list[str] | None,
        typer.Option(help="Cases whose subjects are not learned from; all starter cases; repeat."),
    ] = None,
    corpus: Annotated[
        str, typer.Option(help="Text that edits must leave alone: a file or a packaged corpus.")
    ] = "boolq-passages",
    per_fact: Annotated[int, typer.Option(min=1, help="Edits to practise per fact.")] = 1,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="mend-training.SETTING=VALUE, such as rank=64; repeat."),
    ] = None,
    dtype: Dtype = "auto",
    device: Device = "auto",
) -> None:
    """Train MEND's networks for a model; interrupted, the same command goes on.

    Example: pitfalls train mend --model smollm2-135m --out mend.safetensors
    """
    from pitfalls.bench.lessons import lessons_of  # torch, only once the input is known good
    from pitfalls.editors.mend.course import train_mend
    from pitfalls.editors.mend.training import NAME, MendTraining
    from pitfalls.models.language_model import LanguageModel
    from pitfalls.models.weights.loading import check_loadable

    refuse_idle(setting or [], [NAME])
    overrides = parse_settings(setting or []).get(NAME, {})
    check_some(MendTraining, overrides, name=NAME)
    check_loadable(dtype, device)
    check_file(out)
    progress = progress_on()
    lessons = lessons_of(
        data, corpus, leave_out=leave_out or list(DATASETS), per_fact=per_fact, progress=progress
    )
    loaded = LanguageModel.load(model, dtype=dtype, device=device, progress=progress)
    settings = MendTraining.of(loaded, overrides)
    figures = train_mend(
        loaded, lessons.training, lessons.validation, settings, out, progress=progress
    )
    print(f"{out}: {figures}")
