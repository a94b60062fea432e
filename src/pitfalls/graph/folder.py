"""A folder of triples and labels → a graph.

    triples.{tsv,csv,parquet,nt}    subject, relation, object and, where known, start and end
    entities.{tsv,csv,parquet}      id, label and aliases, which a bar parts
    relations.{tsv,csv,parquet}     the same of relations
    types.{tsv,csv,parquet}         entity and type: what it is an instance of; may repeat entities
    relations.toml                  prompts for some of the relations, like the packaged file

Of these only the triples must be there: N-Triples may hold labels, aliases and types themselves.
Texts may be packed: .gz, .bz2, .zst.
"""

from collections.abc import Callable
from pathlib import Path

from pitfalls.errors import PitfallsError
from pitfalls.graph.graph import Graph, Predicate
from pitfalls.graph.lines import BadLines, read_rows
from pitfalls.graph.ntriples import read_statements
from pitfalls.graph.parts import Parts
from pitfalls.graph.starter import read_predicates, starter_predicates
from pitfalls.progress import SILENT, Advance, Progress

TABLES = (".tsv", ".csv", ".parquet")
PACKED = ("", ".gz", ".bz2", ".zst")


def read_folder(
    folder: Path, *, language: str = "en", progress: Progress = SILENT
) -> tuple[Graph, BadLines]:
    """The graph that the files of the folder tell, and what of them had to be left out.

    Relations are worded by the folder's `relations.toml`, else by the packaged one if that has a
    relation of the same id (those of Wikidata), else by a draft from label and aliases.

    Args:
        folder: see above.
        language: of the labels in N-Triples.
        progress: told of every file.

    Raises:
        PitfallsError: a file is missing, damaged or lacks a column, or no fact is left.
    """
    triples = find_table(folder, "triples", (*TABLES, ".nt"))
    if triples is None:
        raise PitfallsError(f"{folder}: holds no triples.tsv, .csv, .parquet or .nt")
    parts = Parts()
    steps: list[tuple[str, Callable[[Path, Parts, Advance], None]]] = [
        ("relations", _read_names),
        ("entities", _read_names),
        ("types", _read_types),
    ]
    for stem, read in steps:
        if (path := find_table(folder, stem, TABLES)) is not None:
            with progress.stage(f"reading {path.name}", unit="lines") as advance:
                read(path, parts, advance)
    with progress.stage(f"reading {triples.name}", unit="lines") as advance:
        if ".nt" in triples.suffixes:
            _read_statements(triples, parts, language, advance)
        else:
            _read_triples(triples, parts, advance)
    return parts.graph(wordings_for(folder)), parts.bad


def wordings_for(folder: Path | None = None) -> dict[str, Predicate]:
    """Relations with written prompts by id: the packaged ones, and the folder's above them."""
    found = {each.relation.id: each for each in starter_predicates()}
    if folder is not None and (own := folder / "relations.toml").is_file():
        found |= {each.relation.id: each for each in read_predicates(own)}
    return found


def find_table(folder: Path, stem: str, endings: tuple[str, ...]) -> Path | None:
    """The file of that name in the folder, whatever its format; None if there is none."""
    for ending in endings:
        for packed in PACKED:
            if (path := folder / f"{stem}{ending}{packed}").is_file():
                return path
    return None


def _read_names(path: Path, parts: Parts, advance: Advance) -> None:
    for number, row in read_rows(path, ("id", "label"), parts.bad, optional=("aliases",)):
        id, label, aliases = row
        parts.name(f"{path.name}: line {number}", id, label)
        if aliases:
            parts.aliases.setdefault(id, []).extend(filter(None, aliases.split("|")))
        advance(1)


def _read_types(path: Path, parts: Parts, advance: Advance) -> None:
    for _, (entity, type) in read_rows(path, ("entity", "type"), parts.bad):
        parts.types.setdefault(entity, []).append(type)
        advance(1)


def _read_triples(path: Path, parts: Parts, advance: Advance) -> None:
    columns = ("subject", "relation", "object")
    for number, row in read_rows(path, columns, parts.bad, optional=("start", "end")):
        subject, relation, object, start, end = row
        parts.fact(f"{path.name}: line {number}", (subject, relation, object), start, end)
        advance(1)


def _read_statements(path: Path, parts: Parts, language: str, advance: Advance) -> None:
    """Two passes: a label may come after the facts that need it."""
    for number, told in read_statements(path, parts.bad, language=language):
        if told.part == "label":
            parts.name(f"{path.name}: line {number}", told.subject, told.object)
        elif told.part == "alias":
            parts.aliases.setdefault(told.subject, []).append(told.object)
        elif told.part == "type":
            parts.types.setdefault(told.subject, []).append(told.object)
    for number, told in read_statements(path, BadLines(), language=language):
        if told.part == "fact":
            triple = (told.subject, told.predicate, told.object)
            parts.fact(f"{path.name}: line {number}", triple)
        advance(1)
