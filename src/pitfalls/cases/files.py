"""Cases ⇄ JSON lines: our own format, known only here.

The first line is a header: schema version, kind, number of cases, where they came from, and every
relation with its prompts under its id. Each further line is one case that names relations by id.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pitfalls.cases.case import Case
from pitfalls.cases.rows import RelationShape as RelationShape
from pitfalls.cases.rows import case_from_dict as case_from_dict
from pitfalls.cases.rows import case_to_dict as case_to_dict
from pitfalls.cases.rows import relation_to_dict as relation_to_dict
from pitfalls.cases.rows import relations_from_dict as relations_from_dict
from pitfalls.cases.rows import relations_of as relations_of
from pitfalls.disk import Source, make_folder, parse_json, read_text, write_bytes
from pitfalls.errors import PitfallsError
from pitfalls.shapes import Name, Shape, check
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
    """What the file says of itself, without reading its cases.

    Raises:
        PitfallsError: unreadable, not JSON lines, or of another schema version.
    """
    return _parse_header(_lines(source)[0], where=f"{source}: line 1")


def read_cases(source: Source) -> list[Case]:
    """All cases of a file written by `write_cases`.

    Raises:
        PitfallsError: one line that names the file, the line and the field that is wrong.
    """
    lines = _lines(source)
    header = _parse_header(lines[0], where=f"{source}: line 1")
    relations = {key: shape.value(key) for key, shape in header.relations.items()}
    if len(lines) - 1 != header.count:
        raise PitfallsError(
            f"{source}: has {len(lines) - 1} cases, its header says {header.count}; "
            "it was cut off or edited, build or fetch it again"
        )
    seen: dict[str, int] = {}
    cases = []
    for number, line in enumerate(lines[1:], start=2):
        where = f"{source}: line {number}"
        case = case_from_dict(parse_json(line, where=where), relations, where=where)
        if case.kind != header.kind:
            raise PitfallsError(f"{where}: kind: is {case.kind!r}, the header says {header.kind!r}")
        if (earlier := seen.setdefault(case.id, number)) != number:
            raise PitfallsError(f"{where}: id: {case.id!r} is taken by line {earlier}")
        cases.append(case)
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


def _lines(source: Source) -> list[str]:
    # Only "\n" ends a line: labels may hold other characters that `splitlines` would cut at.
    return read_text(source).removesuffix("\n").split("\n")


def _parse_header(line: str, *, where: str) -> Header:
    data = parse_json(line, where=where)
    version = data.get("schema") if isinstance(data, dict) else None
    if version != SCHEMA:
        raise PitfallsError(
            f"{where}: schema: is {version!r}, expected {SCHEMA}; "
            "rebuild the file, or read it with the version of pitfalls that wrote it"
        )
    return check(Header, data, where=where)
