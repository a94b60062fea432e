"""From the name of a graph, as on the command line, to the graph."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from pitfalls.disk import read_bytes
from pitfalls.errors import PitfallsError
from pitfalls.graph.folder import TABLES, find_table, read_folder
from pitfalls.graph.graph import Graph
from pitfalls.graph.lines import BadLines
from pitfalls.graph.starter import read_graph, starter_graph
from pitfalls.progress import SILENT, Progress

STARTER = "starter"


@dataclass(frozen=True, slots=True)
class Sourced:
    """A graph and where it came from, for the card of whatever is made of it."""

    graph: Graph
    name: str
    licence: str = ""
    """Empty if the source does not say."""
    files: dict[str, str] = field(default_factory=dict)
    """Files that it was read from → their SHA-256 in hexadecimal."""
    bad: BadLines = field(default_factory=BadLines)


def open_graph(name: str, *, progress: Progress = SILENT) -> Sourced:
    """The graph that a name means.

    Args:
        name: `starter`, or a folder: of triples and labels, or one like the starter graph's.
        progress: told of what is read.

    Raises:
        PitfallsError: there is no such folder, or what is in it cannot be read.
    """
    if name == STARTER:
        return Sourced(starter_graph(), STARTER, "Apache-2.0")
    folder = Path(name).expanduser()
    if not folder.is_dir():
        raise PitfallsError(f"graph {name}: no such folder; give one, or {STARTER!r}")
    if (folder / "facts.tsv").is_file():
        return Sourced(read_graph(folder), folder.name, files=_checksums(folder))
    graph, bad = read_folder(folder, progress=progress)
    return Sourced(graph, folder.resolve().name, files=_checksums(folder), bad=bad)


def _checksums(folder: Path) -> dict[str, str]:
    stems = ("triples", "facts", "entities", "relations", "types")
    found = [find_table(folder, stem, (*TABLES, ".nt", ".toml")) for stem in stems]
    own = folder / "relations.toml"
    paths = sorted({path for path in (*found, own) if path is not None and path.is_file()})
    return {path.name: hashlib.sha256(read_bytes(path)).hexdigest() for path in paths}
