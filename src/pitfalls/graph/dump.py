"""A Wikidata JSON dump → a folder of triples and labels, which `read_folder` reads.

The dump is read once, line by line, and what is kept is appended to files, so that memory does not
grow with the dump. Now and then it is noted how far the files are; whoever goes on cuts them back
to that length and passes over the lines that are done. At the end the tables are made from them.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from io import BufferedWriter
from pathlib import Path
from typing import TypeAlias

from pitfalls.disk import make_folder, parse_json, read_text, write_bytes
from pitfalls.errors import PitfallsError
from pitfalls.graph.entity import Described, parse_entity
from pitfalls.graph.lines import BadLines, numbered_lines
from pitfalls.progress import SILENT, Progress

COLUMNS = {
    "triples": ("subject", "relation", "object", "start", "end"),
    "entities": ("id", "label", "aliases"),
    "relations": ("id", "label", "aliases"),
    "types": ("entity", "type"),
}
Files: TypeAlias = Mapping[str, BufferedWriter]
NOTE = "dump.json"
EVERY = 20_000
"""Lines between two notes."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is kept of a dump."""

    dump: Path
    relations: tuple[str, ...]
    language: str = "en"

    def as_json(self) -> dict[str, object]:
        """The same as JSON values, to tell whether a folder was begun for it."""
        size = self.dump.stat().st_size
        relations, name = list(self.relations), self.dump.name
        return {"dump": name, "bytes": size, "relations": relations, "language": self.language}


def read_dump(
    wish: Wish, out: Path, *, every: int = EVERY, progress: Progress = SILENT
) -> BadLines:
    """Write the folder, or finish one that was begun, and tell which lines were left out.

    Args:
        wish: the dump, plain or packed, and what is kept.
        out: the folder.
        every: lines between two notes of how far it is.
        progress: told of the lines.

    Raises:
        PitfallsError: the dump cannot be read to its end, or the folder was begun for another wish.
    """
    if not wish.dump.is_file():
        raise PitfallsError(f"{wish.dump}: no such file, expected a Wikidata dump (JSON)")
    make_folder(out)
    done, bad = _begin(wish, out)
    if done is not None:
        with ExitStack() as stack:
            files: Files = {
                name: stack.enter_context(_begun(out, name).open("ab")) for name in COLUMNS
            }
            advance = stack.enter_context(progress.stage(f"reading {wish.dump.name}", unit="lines"))
            number = done
            for number, line in numbered_lines(wish.dump, bad, behind=done):
                advance(1)
                _keep(line, f"{wish.dump.name}: line {number}", wish, files, bad)
                if number % every == 0:
                    _note(wish, out, number, files, bad)
            _note(wish, out, number, files, bad)
        _make_tables(out)
        _note(wish, out, None, {}, bad)
    for name in COLUMNS:
        _begun(out, name).unlink(missing_ok=True)
    return bad


def _begun(out: Path, name: str) -> Path:
    return out / f"{name}.begun"


def _begin(wish: Wish, out: Path) -> tuple[int | None, BadLines]:
    """How many lines are done, None if all are, and what was wrong with them.

    The files are cut to that state.
    """
    if not (out / NOTE).is_file():
        for name in COLUMNS:
            _begun(out, name).write_bytes(b"")
        return 0, BadLines()
    note = parse_json(read_text(out / NOTE), where=str(out / NOTE))
    for key, value in wish.as_json().items():
        if note["wish"][key] != value:
            raise PitfallsError(
                f"{out}: was begun with {key} {note['wish'][key]!r}, now it is {value!r}; "
                "give another --out"
            )
    for name, size in note["sizes"].items():
        os.truncate(_begun(out, name), size)
    return note["lines"], BadLines(Counter(note["bad"]), note["examples"])


def _note(wish: Wish, out: Path, lines: int | None, files: Files, bad: BadLines) -> None:
    for file in files.values():
        file.flush()
        os.fsync(file.fileno())
    note = {
        "wish": wish.as_json(),
        "lines": lines,
        "sizes": {name: file.tell() for name, file in files.items()},
        "bad": bad.counts,
        "examples": bad.examples,
    }
    write_bytes(out / NOTE, json.dumps(note).encode("utf-8"))


def _keep(line: str, where: str, wish: Wish, files: Files, bad: BadLines) -> None:
    try:
        found = parse_entity(line, wish.relations, wish.language)
    except ValueError as reason:
        bad.add(where, str(reason))
        return
    if found is not None and (found.id[0] == "Q" or found.id in wish.relations):
        for name, row in _rows(found):
            files[name].write(("\t".join(row) + "\n").encode("utf-8"))


def _rows(found: Described) -> Iterator[tuple[str, Sequence[str]]]:
    aliases = "|".join(each for each in found.aliases if "|" not in each)
    table = "entities" if found.id[0] == "Q" else "relations"
    if found.label:
        yield table, (found.id, found.label, aliases)
    if table == "entities":
        yield from (("types", (found.id, type)) for type in found.types)
        yield from (("triples", (found.id, *fact)) for fact in found.facts)


def _make_tables(out: Path) -> None:
    """Tables without the names and types of all that no fact speaks of: most of the dump."""
    mentioned: set[bytes] = set()
    with _begun(out, "triples").open("rb") as file:
        for line in file:
            subject, _, object, *_ = line.split(b"\t")
            mentioned |= {subject, object}
    for name, columns in COLUMNS.items():
        every_one = name in ("triples", "relations")
        with _begun(out, name).open("rb") as long, (out / f"{name}.tsv").open("wb") as short:
            short.write(("\t".join(columns) + "\n").encode("utf-8"))
            short.writelines(
                line for line in long if every_one or line.split(b"\t")[0] in mentioned
            )
