"""Options that several commands take, each with its help."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from pitfalls.settings import LARGEST_SEED

MODEL = "smollm2-135m"
"""Default model."""

_MODEL = "Directory, GGUF file, packaged name or hub id."
_WEIGHTS = "float32, bfloat16, int8 or nf4; auto: float32 on a CPU, the checkpoint's on a GPU."
_DEVICE = "A torch device, such as cuda:0; auto: CUDA, else MPS, else CPU; spread: over all."
_SEED = "Seed of everything that is sampled."
_PREFIX = "Text in front of every text; bos is the model's own beginning-of-text token."

Model: TypeAlias = Annotated[str, typer.Option(help=_MODEL)]
ModelOrNone: TypeAlias = Annotated[str | None, typer.Option(help=_MODEL)]
ModelOfStack: TypeAlias = Annotated[
    str | None, typer.Option(help=f"{_MODEL} Left out: the stack's.")
]
ModelArgument: TypeAlias = Annotated[str, typer.Argument(help=_MODEL)]

Dtype: TypeAlias = Annotated[str, typer.Option(help=_WEIGHTS)]
DtypeOrNone: TypeAlias = Annotated[str | None, typer.Option(help=_WEIGHTS)]
DtypeOfStack: TypeAlias = Annotated[
    str | None, typer.Option(help=f"{_WEIGHTS} Left out: the stack's.")
]

Device: TypeAlias = Annotated[str, typer.Option(help=_DEVICE)]
DeviceOrNone: TypeAlias = Annotated[str | None, typer.Option(help=_DEVICE)]

Seed: TypeAlias = Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help=_SEED)]
SeedOrNone: TypeAlias = Annotated[int | None, typer.Option(min=0, max=LARGEST_SEED, help=_SEED)]

PrefixOrNone: TypeAlias = Annotated[str | None, typer.Option(help=_PREFIX)]

Settings: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--set", help="EDITOR.SETTING=VALUE, such as rome.layer=5; repeat."),
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
Runs: TypeAlias = Annotated[
    list[Path] | None,
    typer.Argument(metavar="DIR", help="Run directories, the --out of `pitfalls run`."),
]
