"""Status of a run: which of its chunks are there, from its directory alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pitfalls.bench.chunks import slices
from pitfalls.bench.shard import shard_of
from pitfalls.cases.collections import locate
from pitfalls.editors.names import EditorName
from pitfalls.errors import PitfallsError
from pitfalls.records.run_directory import RunDirectory, part_name
from pitfalls.vocabulary import DATASETS, KIND_WORDS


@dataclass(frozen=True, slots=True)
class Missing:
    """A chunk of one editor and data set that is not there."""

    chunk: int
    cases: int
    position: int
    """Place of the chunk in the order of the run, which says whose share it is."""
    damaged: bool
    """Whether its file is there but cannot be read; it must be deleted first."""

    def as_json(self, shards: int | None) -> dict[str, Any]:
        """As a JSON object; `shard` is its share of so many, None without."""
        shard = None if shards is None else str(shard_of(self.position, shards))
        return {"chunk": self.chunk, "cases": self.cases, "damaged": self.damaged, "shard": shard}


@dataclass(frozen=True, slots=True)
class Line:
    """One editor on one data set."""

    model: str
    editor: str
    data: str
    of_chunks: int
    of_cases: int
    missing: tuple[Missing, ...]

    @property
    def chunks(self) -> int:
        """Chunks that are there."""
        return self.of_chunks - len(self.missing)

    @property
    def cases(self) -> int:
        """Cases that are there."""
        return self.of_cases - sum(each.cases for each in self.missing)

    def as_json(self, shards: int | None = None) -> dict[str, Any]:
        """As a JSON object, with the shares of so many that the missing chunks belong to."""
        return {
            "model": self.model,
            "editor": self.editor,
            "data": self.data,
            "chunks": self.chunks,
            "of_chunks": self.of_chunks,
            "cases": self.cases,
            "of_cases": self.of_cases,
            "missing": [each.as_json(shards) for each in self.missing],
        }


def status_of(directory: RunDirectory) -> list[Line]:
    """A line for every editor and data set, in the order of the run.

    Raises:
        PitfallsError: with `+mle`, a data set given by its path that is no longer there.
    """
    header = directory.header
    size = header.config["chunk"]
    assert isinstance(size, int), "an experiment has checked it"
    cut = slices({data: info.cases for data, info in header.data.items()}, size)
    lines, position = list[Line](), 0
    for editor in header.editors:
        mine = _applicable(cut, editor)
        chunks = [(number, part) for number, part in enumerate(mine) if part]
        places = {number: position + n for n, (number, _) in enumerate(chunks)}
        position += len(chunks)
        for data in header.data:
            counts = {number: len(part[data]) for number, part in chunks if data in part}
            if counts:
                missing = _missing(directory, editor, data, counts, places)
                total = sum(counts.values())
                lines.append(Line(header.model.name, editor, data, len(counts), total, missing))
    return lines


def _missing(
    directory: RunDirectory,
    editor: str,
    data: str,
    counts: Mapping[int, int],
    places: Mapping[int, int],
) -> tuple[Missing, ...]:
    found = []
    for number, cases in counts.items():
        there, damaged = _there(directory, part_name(data, editor, number))
        if not there:
            found.append(Missing(number, cases, places[number], damaged))
    return tuple(found)


def _there(directory: RunDirectory, part: str) -> tuple[bool, bool]:
    """Whether a part is there and sound, and whether it is there but damaged."""
    try:
        return directory.has(part), False
    except PitfallsError:
        return False, True


def _applicable(cut: Sequence[Mapping[str, range]], editor: str) -> list[dict[str, range]]:
    """The slices without the data sets that the editor does not apply to."""
    if not EditorName.parse(editor).multi_label:
        return [dict(part) for part in cut]
    several = {data for part in cut for data in part if _several(data)}
    return [{data: cases for data, cases in part.items() if data in several} for part in cut]


def _several(data: str) -> bool:
    kind = DATASETS.get(data.rpartition(":")[2]) or locate(data).kind
    return KIND_WORDS[kind].several
