"""A run on disk: `run.json` and append-only Parquet parts, safe to be killed at any moment.

    runs/a/run.json                                          what decides the numbers
    runs/a/records/starter-conflict-coverage.rome.00003.parquet   one chunk of cases, one editor

Every file is written under a temporary name, flushed, and renamed, so that a part is either
complete or not there. One process writes a directory at a time; any number may read it.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pitfalls.disk import TEMPORARY, cannot_write, check_writable, make_folder, write_bytes
from pitfalls.door.parquet import read_table
from pitfalls.door.paths import is_file
from pitfalls.door.text import read_text, shortened
from pitfalls.door.values import parse_json
from pitfalls.errors import PitfallsError
from pitfalls.records.header import READABLE, SCHEMA_VERSION, MomentInfo, RunHeader
from pitfalls.records.record import Record
from pitfalls.records.table_form import from_table, to_table, up_to_date
from pitfalls.shapes import check_json, check_version
from pitfalls.vocabulary import KIND_WORDS

_MOST_DIFFERENCES = 8
_AGAIN = "delete it and run the same command again"


def part_name(data: str, editor: str, chunk: int) -> str:
    """The part that holds one chunk: `starter-conflict-coverage.rome.00003`.

    A data set given by its path may hold characters that are no good in a file name; they are
    replaced, and a hash of the whole keeps two such data sets apart.
    """
    slug = re.sub(r"[^A-Za-z0-9_-]+", "-", data).strip("-")
    if re.search(r"[^A-Za-z0-9_:/-]", data):
        slug = f"{slug}-{hashlib.sha256(data.encode()).hexdigest()[:8]}"
    return f"{slug}.{editor}.{chunk:05d}"


def _refuse(error: PitfallsError) -> None:
    raise error


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """One run: its header and the parts written so far."""

    path: Path
    header: RunHeader

    @classmethod
    def open(cls, path: Path, header: RunHeader) -> "RunDirectory":
        """Starts a run, or takes up the one of the same configuration that is already there.

        Other package versions do not keep a run from being resumed (an upgrade should not cost
        hours of results), but they may change the last bits of later parts, so the header keeps
        a list of all versions that had a hand in the run.

        Raises:
            PitfallsError: the directory belongs to another configuration, or cannot be written.
        """
        if not is_file(path / "run.json"):
            return cls._start(path, header)
        found = cls.read(path)
        if differences := found.header.differences(header):
            raise PitfallsError(
                f"{path} was made with another configuration: {_listed(differences)}; "
                "give another --out or the same settings"
            )
        found._clean()
        # Parts that follow are of the newest schema, which an older version must not take for its.
        changes: dict[str, object] = {"schema_version": SCHEMA_VERSION}
        seen = (found.header.packages, *found.header.resumed_with)
        if header.packages not in seen:
            changes["resumed_with"] = (*found.header.resumed_with, header.packages)
        now = found.header.model_copy(update=changes)
        return found if now == found.header else cls._save(path, now)

    def with_moments(self, editor: str, moments: Mapping[int, MomentInfo]) -> "RunDirectory":
        """Note with what second moments an editor's parts are made, before any of them is.

        Raises:
            PitfallsError: parts that are there were made with others, or the header cannot be
                written.
        """
        known = self.header.moments.get(editor)
        if known is None and (not moments or not self._has_any(editor)):
            every = self.header.moments | {editor: dict(moments)}
            return self._save(self.path, self.header.model_copy(update={"moments": every}))
        if _read(known or {}) != _read(moments):
            raise PitfallsError(
                f"{self.path} holds records of {editor} made with other second moments: give "
                "another --out, or delete its parts and its line in run.json under `moments`"
            )
        return self

    @classmethod
    def check(cls, path: Path) -> None:
        """Refuse, before anything is computed, a place that no run could be started or resumed in.

        Raises:
            PitfallsError: a file, a folder of other things, a run that cannot be read, or a folder
                that may not be made or written to.
        """
        if (path / "run.json").exists():
            cls.read(path)
        else:
            _refuse_taken(path)
        check_writable(path)

    @classmethod
    def read(cls, path: Path) -> "RunDirectory":
        """A run that exists, finished or not.

        Raises:
            PitfallsError: no run there, or one that this version cannot read.
        """
        file = path / "run.json"
        if not is_file(file):
            raise PitfallsError(f"no run in {path}: no run.json; give the --out of `pitfalls run`")
        return cls(path, _read_header(file))

    def has(self, part: str) -> bool:
        """Whether the part is there, complete and sound.

        Raises:
            PitfallsError: it is there but damaged.
        """
        if not self._file(part).exists():
            return False
        self.table(part)
        return True

    def write(self, part: str, records: Sequence[Record]) -> None:
        """Writes a part so that it is there as a whole or not at all.

        Raises:
            PitfallsError: the directory is read-only, the disk is full, ….
        """
        sink = pa.BufferOutputStream()
        pq.write_table(to_table(records), sink, compression="zstd", write_page_checksum=True)
        write_bytes(self._file(part), sink.getvalue().to_pybytes())

    def parts(self) -> list[str]:
        """The names of the parts that are there, in alphabetical order."""
        return sorted(file.stem for file in (self.path / "records").glob("*.parquet"))

    def _has_any(self, editor: str) -> bool:
        return any(part.split(".")[-2] == editor for part in self.parts())

    def table(self, part: str) -> pa.Table:
        """A part as an Arrow table of `table_form.SCHEMA`, whatever schema it was written in.

        Raises:
            PitfallsError: the file is missing, truncated or damaged.
        """
        file = self._file(part)
        table = up_to_date(read_table(file, advice=_AGAIN))
        if table is None:
            raise _damaged(file, "its columns are not those of a run")
        return table

    def tables(self, *, leave_out: Callable[[PitfallsError], None] = _refuse) -> Iterator[pa.Table]:
        """The parts in alphabetical order, made sure that each case counts once.

        Args:
            leave_out: told of each damaged part, which is passed over then. Left out: it is raised.

        Raises:
            PitfallsError: a damaged part, a kind of case that there is not, or a case that two rows
                are of.
        """
        seen: dict[tuple[str, ...], str] = {}
        for part in self.parts():
            try:
                table = self.table(part)
                rows = self._rows_of(table, part, seen)
            except PitfallsError as error:
                leave_out(error)
            else:
                seen |= dict.fromkeys(rows, part)
                yield table

    def records(self) -> Iterator[Record]:
        """Every row of every part: parts in alphabetical order, rows as they were written."""
        for part in self.parts():
            yield from from_table(self.table(part))

    @classmethod
    def _start(cls, path: Path, header: RunHeader) -> "RunDirectory":
        _refuse_taken(path)
        make_folder(path / "records")
        run = cls._save(path, header)
        run._clean()
        return run

    @classmethod
    def _save(cls, path: Path, header: RunHeader) -> "RunDirectory":
        text = json.dumps(header.model_dump(mode="json"), ensure_ascii=False, indent=2)
        write_bytes(path / "run.json", f"{text}\n".encode())
        return cls(path, header)

    def _clean(self) -> None:
        """Removes what a killed run left half-written."""
        for folder in (self.path, self.path / "records"):
            for file in folder.glob(f"*{TEMPORARY}"):
                file.unlink(missing_ok=True)

    def _rows_of(
        self, table: pa.Table, part: str, seen: Mapping[tuple[str, ...], str]
    ) -> set[tuple[str, ...]]:
        """Data set, editor and case of every row; a row that was seen before is refused."""
        for kind in table["kind"].unique().to_pylist():
            if kind not in KIND_WORDS:
                why = f"it holds cases of the kind {shortened(repr(kind))}"
                raise _damaged(self._file(part), why)
        columns = (table[name].to_pylist() for name in ("data", "editor", "case_id"))
        found: set[tuple[str, ...]] = set()
        for row in zip(*columns, strict=True):
            if row in found or row in seen:
                where = f"in {seen[row]} as well" if row in seen else "twice"
                why = f"case {row[2]} under {row[1]} is there {where}"
                raise _damaged(self._file(part), why)
            found.add(row)
        return found

    def _file(self, part: str) -> Path:
        return self.path / "records" / f"{part}.parquet"


def _read_header(file: Path) -> RunHeader:
    text = read_text(file)
    advice = "use the pitfalls that made the run, or give another --out"
    data = parse_json(text, where=str(file))
    check_version(data, "schema_version", *READABLE, where=str(file), advice=advice)
    return check_json(RunHeader, text, where=f"{file} is damaged")


def _refuse_taken(path: Path) -> None:
    try:
        if path.exists() and any(not _is_leftover(file) for file in path.iterdir()):
            raise PitfallsError(
                f"{path} holds files but no run.json; give another --out or an empty directory"
            )
    except OSError as error:
        raise cannot_write(path, error) from error


def _is_leftover(file: Path) -> bool:
    """Whether a run killed before its run.json was complete may have left this."""
    return file.suffix == TEMPORARY or (file.name == "records" and not any(file.glob("*.parquet")))


def _read(moments: Mapping[int, MomentInfo]) -> dict[int, tuple[int, str]]:
    """Tokens and end of each; how much they change is rounded differently on another machine."""
    return {layer: (moment.tokens, moment.end) for layer, moment in moments.items()}


def _listed(differences: list[str]) -> str:
    shown = "; ".join(differences[:_MOST_DIFFERENCES])
    more = len(differences) - _MOST_DIFFERENCES
    return f"{shown}; and {more} more" if more > 0 else shown


def _damaged(file: Path, why: str) -> PitfallsError:
    return PitfallsError(f"{file} is damaged ({why}); {_AGAIN}")
