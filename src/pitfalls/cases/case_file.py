"""Cases ⇄ JSON lines: our own format, known only here.

The first line is a header: schema version, kind, number of cases, where they came from, and every
relation with its prompts under its id. Each further line is one case that names relations by id.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from pitfalls.cases.case import Case
from pitfalls.cases.json_form import (
    RelationShape,
    case_from_dict,
    case_to_dict,
    relation_to_dict,
    relations_of,
)
from pitfalls.disk import make_folder, write_bytes
from pitfalls.door.text import Source
from pitfalls.door.values import read_json_lines
from pitfalls.errors import PitfallsError
from pitfalls.shapes import Name, Shape, check, check_version
from pitfalls.vocabulary import CaseKind

SCHEMA = 1
"""Version of the format. A file of another version is refused, never guessed at."""


class Header(Shape):
    """The first line of a file."""

    schema_: Literal[1]
    kind: CaseKind
    count: int
    origin: str
    relations: dict[Name, RelationShape]

    model_config = Shape.model_config | {"alias_generator": lambda name: name.rstrip("_")}


def read_header(source: Source) -> Header:
    """The header of the file, without reading its cases.

    Raises:
        PitfallsError: unreadable, not JSON lines, or of another schema version.
    """
    return _header(source, read_json_lines(source))


def read_cases(source: Source) -> list[Case]:
    """All cases of a file written by `write_cases`.

    Raises:
        PitfallsError: one line that names the file, the line and the field that is wrong.
    """
    rows = read_json_lines(source)
    header = _header(source, rows)
    relations = {key: shape.value(key) for key, shape in header.relations.items()}
    seen: dict[str, str] = {}
    cases = []
    for where, row in rows:
        case = case_from_dict(row, relations, where=where)
        if case.kind != header.kind:
            raise PitfallsError(f"{where}: kind: is {case.kind!r}, the header says {header.kind!r}")
        if (earlier := seen.setdefault(case.id, where)) != where:
            line = earlier.removeprefix(f"{source}: ")
            raise PitfallsError(f"{where}: id: {case.id!r} is taken by {line}")
        cases.append(case)
    if len(cases) != header.count:
        raise PitfallsError(
            f"{source}: has {len(cases)} cases, its header says {header.count}; "
            "it was cut off or edited, build or fetch it again"
        )
    return cases


def write_cases(path: Path, cases: Sequence[Case], *, origin: str = "") -> None:
    """Write cases of one kind; equal cases give equal bytes.

    Args:
        path: where to; an existing file is replaced at one stroke.
        cases: at least one, all of the same kind.
        origin: how they were made, in words or as a command line. Kept in the header.

    Raises:
        PitfallsError: no cases, several kinds, two wordings of one relation, or a full disk.
    """
    if len(kinds := sorted({case.kind for case in cases})) != 1:
        raise PitfallsError(f"{path}: a file holds cases of one kind, got {kinds or 'no cases'}")
    relations = relations_of(cases)
    header = {
        "schema": SCHEMA,
        "kind": kinds[0],
        "count": len(cases),
        "origin": origin,
        "relations": {key: relation_to_dict(relations[key]) for key in sorted(relations)},
    }
    rows = [header, *map(case_to_dict, cases)]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    make_folder(path.parent)
    write_bytes(path, text.encode("utf-8"))


def _header(source: Source, rows: Iterator[tuple[str, Any]]) -> Header:
    where, data = next(rows, (f"{source}: line 1", None))
    if data is None:
        raise PitfallsError(f"{where}: holds nothing, expected the header of a file of cases")
    advice = "rebuild the file, or read it with the version of pitfalls that wrote it"
    check_version(data, "schema", SCHEMA, where=where, advice=advice)
    return check(Header, data, where=where)
