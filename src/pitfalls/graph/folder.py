"""Reader for a folder of triples and labels.

    triples.{tsv,csv,parquet,nt}    subject, relation, object and, where known, start and end
    entities.{tsv,csv,parquet}      id, label and aliases, separated by a bar
    relations.{tsv,csv,parquet}     the same for relations
    types.{tsv,csv,parquet}         entity and type (instance of); an entity may have several rows
    relations.toml                  prompts for some of the relations, like the packaged file

Only the triples are required. N-Triples may contain labels, aliases and types themselves.
Text files may be compressed: .gz, .bz2, .zst.
"""

from pathlib import Path

from pitfalls.door.paths import is_file
from pitfalls.errors import PitfallsError
from pitfalls.graph.graph import Graph
from pitfalls.graph.lines import BadLines, read_rows
from pitfalls.graph.ntriples import Statement, read_statements
from pitfalls.graph.parts import Parts
from pitfalls.graph.sink import Sink
from pitfalls.graph.worded import wordings_for
from pitfalls.progress import SILENT, Advance, Progress

TABLES = (".tsv", ".csv", ".parquet")
COMPRESSIONS = ("", ".gz", ".bz2", ".zst")


def read_folder(
    folder: Path, *, language: str = "en", progress: Progress = SILENT
) -> tuple[Graph, BadLines]:
    """Read the graph in a folder, and return the lines left out.

    The prompts of a relation come from the folder's `relations.toml`; else from the packaged graph
    or table, if it has a relation with the same Wikidata id; else from a draft based on its label
    and aliases.

    Args:
        folder: a folder of the files listed above.
        language: language of the labels in N-Triples.
        progress: notified of every file.

    Raises:
        PitfallsError: a file is missing, damaged or lacks a column, or no fact is left.
    """
    parts = Parts()
    read_tables(folder, parts, language=language, progress=progress)
    return parts.graph(wordings_for(folder)), parts.bad


def read_tables(
    folder: Path, sink: Sink, *, language: str = "en", progress: Progress = SILENT
) -> None:
    """Pass the contents of the folder's files to the sink.

    Raises:
        PitfallsError: a file is missing, damaged or lacks a column.
    """
    files = graph_files(folder)
    triples = files.pop("triples")
    for stem, path in files.items():
        with progress.stage(f"reading {path.name}", unit="lines") as advance:
            (_read_types if stem == "types" else _read_names)(path, sink, advance)
    with progress.stage(f"reading {triples.name}", unit="lines") as advance:
        if ".nt" in triples.suffixes:
            _read_statements(triples, sink, language, advance)
        else:
            _read_triples(triples, sink, advance)


def graph_files(folder: Path) -> dict[str, Path]:
    """Table → its file in the folder, relations and entities first.

    Raises:
        PitfallsError: there are no triples.
    """
    stems = {"relations": TABLES, "entities": TABLES, "types": TABLES, "triples": (*TABLES, ".nt")}
    found = {stem: _find(folder, stem, endings) for stem, endings in stems.items()}
    if found["triples"] is None:
        raise PitfallsError(f"{folder}: has no triples.tsv, .csv, .parquet or .nt")
    return {stem: path for stem, path in found.items() if path is not None}


def _find(folder: Path, stem: str, endings: tuple[str, ...]) -> Path | None:
    paths = (folder / f"{stem}{ending}{each}" for ending in endings for each in COMPRESSIONS)
    return next((path for path in paths if is_file(path)), None)


def _read_names(path: Path, sink: Sink, advance: Advance) -> None:
    for number, row in read_rows(path, ("id", "label"), sink.bad, optional=("aliases",)):
        id, label, aliases = row
        sink.name(f"{path.name}: line {number}", id, label)
        for alias in filter(None, aliases.split("|")):
            sink.alias(id, alias)
        advance(1)


def _read_types(path: Path, sink: Sink, advance: Advance) -> None:
    for _, (entity, type) in read_rows(path, ("entity", "type"), sink.bad):
        sink.type(entity, type)
        advance(1)


def _read_triples(path: Path, sink: Sink, advance: Advance) -> None:
    columns = ("subject", "relation", "object")
    for number, row in read_rows(path, columns, sink.bad, optional=("start", "end")):
        subject, relation, object, start, end = row
        sink.fact(f"{path.name}: line {number}", (subject, relation, object), start, end)
        advance(1)


def _read_statements(path: Path, sink: Sink, language: str, advance: Advance) -> None:
    for reading, wanted in enumerate(sink.passes):
        bad = BadLines() if reading else sink.bad  # every pass finds the same bad lines
        for number, told in read_statements(path, bad, language=language):
            if told.part in wanted:
                _put(told, f"{path.name}: line {number}", sink)
            advance(1)


def _put(told: Statement, where: str, sink: Sink) -> None:
    match told.part:
        case "label":
            sink.name(where, told.subject, told.object)
        case "alias":
            sink.alias(told.subject, told.object)
        case "type":
            sink.type(told.subject, told.object)
        case "fact":
            sink.fact(where, (told.subject, told.predicate, told.object))
