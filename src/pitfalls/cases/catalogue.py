"""The published collections: their sources, files and checksums."""

import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from pitfalls.cache import cache_root
from pitfalls.errors import UnknownNameError


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """One file as its authors published it."""

    name: str
    entries: int
    """Cases, or relations in a file of prompts."""
    sha256: str


@dataclass(frozen=True, slots=True)
class Published:
    """A collection that is fetched on request."""

    name: str
    folder: str
    """Its folder in the authors' repository."""
    licence: str
    source: str
    download: str
    """The address that `folder` and a file name are appended to."""
    files: tuple[PublishedFile, ...]

    @property
    def directory(self) -> Path:
        """Where it is installed once fetched."""
        return cache_root() / "data" / self.name

    @property
    def present(self) -> bool:
        """Whether it has been fetched. Installing is atomic, so the folder is enough of a sign."""
        return self.directory.is_dir()

    @property
    def absence(self) -> str:
        """Error line for a collection that has not been fetched."""
        return (
            f"the data collection {self.name!r} is not here yet: run "
            f"`pitfalls data fetch {self.name}`, with `--from DIR` if you have a copy"
        )

    def entries(self, file_name: str) -> int:
        """How many cases the file of that name holds."""
        return next(file.entries for file in self.files if file.name == file_name)


def published() -> dict[str, Published]:
    """The published collections by name."""
    table = resources.files("pitfalls.data").joinpath("released.toml").read_text("utf-8")
    return {name: _published(name, row) for name, row in tomllib.loads(table).items()}


def published_named(name: str) -> Published:
    """The published collection of that name.

    Raises:
        UnknownNameError: there is none.
    """
    known = published()
    if name not in known:
        raise UnknownNameError("published collection", name, known)
    return known[name]


def _published(name: str, row: dict[str, Any]) -> Published:
    files = tuple(
        PublishedFile(file, facts["entries"], facts["sha256"])
        for file, facts in row["files"].items()
    )
    return Published(name, row["folder"], row["licence"], row["source"], row["download"], files)
