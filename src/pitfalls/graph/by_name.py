"""Graphs by the name that the command line gives them."""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pitfalls.door.paths import is_file, is_folder, place
from pitfalls.errors import PitfallsError
from pitfalls.graph.folder import graph_files, read_folder
from pitfalls.graph.graph import Graph
from pitfalls.graph.lines import BadLines
from pitfalls.graph.note import has_note
from pitfalls.graph.relations_file import WORDINGS
from pitfalls.graph.select import Select, read_selected
from pitfalls.graph.starter import ALSO_TRUE, read_graph, starter_graph
from pitfalls.graph.store import Store
from pitfalls.progress import SILENT, Progress

STARTER = "starter"


@dataclass(frozen=True, slots=True)
class Sourced:
    """A graph and its origin, for the card of the data set built from it."""

    graph: Graph
    name: str
    licence: str = ""
    """Empty if the source does not say."""
    files: dict[str, str] = field(default_factory=dict)
    """Name of each source file → its SHA-256 in hexadecimal."""
    bad: BadLines = field(default_factory=BadLines)


def open_graph(
    name: str,
    *,
    relations: Collection[str] | None = None,
    select: Select = read_selected,
    progress: Progress = SILENT,
) -> Sourced:
    """Read the graph of that name.

    Args:
        name: `starter`, or a folder: a store, triples and labels, or the files of a starter graph.
        relations: the only relations to read, if a store; other sources are read whole. None: all.
        select: reads rows of the tables of a store.
        progress: notified of what is read.

    Raises:
        PitfallsError: there is no such folder, or its files cannot be read.
    """
    if name == STARTER:
        return Sourced(starter_graph(), STARTER, "Apache-2.0")
    folder = _folder(name)
    label = folder.resolve().name
    if (store := find_store(name)) is not None:
        with progress.stage(f"reading {label}"):
            graph = store.graph(relations, select=select)
        return Sourced(graph, label, files=_checksums(store.files), bad=store.bad)
    if is_file(folder / "facts.tsv"):
        files = [folder / each for each in ("entities.tsv", "facts.tsv", ALSO_TRUE, WORDINGS)]
        return Sourced(read_graph(folder), label, files=_checksums(files))
    graph, bad = read_folder(folder, progress=progress)
    files = [*graph_files(folder).values(), folder / WORDINGS]
    return Sourced(graph, label, files=_checksums(files), bad=bad)


def find_store(name: str) -> Store | None:
    """Open the store in the folder of that name; None if the name means another kind of graph.

    Raises:
        PitfallsError: there is no such folder, or its store is not complete.
    """
    if name == STARTER or not has_note(folder := _folder(name)):
        return None
    return Store.open(folder)


def _folder(name: str) -> Path:
    if not is_folder(folder := place(name)):
        raise PitfallsError(f"graph {name}: no such folder; give one, or {STARTER!r}")
    return folder


def _checksums(files: Iterable[Path]) -> dict[str, str]:
    found = sorted(path for path in files if is_file(path))
    return {path.name: _sha256(path) for path in found}


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
