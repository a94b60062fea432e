"""From the name of a data set, as on the command line, to its cases.

A name is `[COLLECTION:]SET`: `conflict/coverage`, `released-gpt-j:round/easy`, `folder:round/hard`.
A folder may hold our JSON lines or the authors' files. A path to one file needs no set.
"""

import hashlib
from dataclasses import dataclass
from importlib import resources
from itertools import product
from pathlib import Path

from pitfalls.cases.case import Case
from pitfalls.cases.case_file import read_cases, read_header
from pitfalls.cases.catalogue import Published, published
from pitfalls.cases.kinds.table import KINDS, released_of
from pitfalls.cases.released import read_released, released_files
from pitfalls.door.paths import is_file, is_folder, place
from pitfalls.door.text import Source, read_bytes
from pitfalls.door.values import read_json
from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.vocabulary import DATASETS, CaseKind

STARTER = "starter"
"""The collection that travels with the package, and the one meant where none is named."""
TUNING = "tuning"
"""The collection that settings are chosen on; it travels with the package too. No reported table
uses it, and none of its subjects is one of the starter collection's."""
PACKAGED = {STARTER: "cases", TUNING: "tuning"}
"""Collection that travels with the package → its folder in the starter graph's."""


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A file of cases that has been found."""

    path: Source
    kind: CaseKind
    prompts: Source | None = None
    """Where the paraphrases are, if the file is in the authors' format; None for our own."""

    def read(self) -> list[Case]:
        """Its cases, in file order.

        Raises:
            PitfallsError: the file is not what it should be, told in one line.
        """
        if self.prompts is not None:
            return read_released(self.path, self.kind, prompts=self.prompts)
        cases = read_cases(self.path)
        if cases and cases[0].kind != self.kind:
            raise PitfallsError(
                f"{self.path}: holds {cases[0].kind} cases, asked for {self.kind} cases"
            )
        return cases

    def checksum(self) -> str:
        """SHA-256 of everything that is read, in hexadecimal."""
        digest = hashlib.sha256(read_bytes(self.path))
        if self.prompts is not None:
            digest.update(read_bytes(self.prompts))
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class DataSet:
    """One line of the list of data sets."""

    collection: str
    name: str
    cases: int
    present: bool
    licence: str
    source: str


def load_cases(name: str, limit: int | None = None) -> list[Case]:
    """The cases of a data set, in its order.

    Args:
        name: `[COLLECTION:]SET` or a path.
        limit: take the first so many; a smaller data set is taken whole.

    Raises:
        UnknownNameError: no such set or collection.
        PitfallsError: not fetched yet, unreadable or malformed, or a limit below 1.
    """
    if limit is not None and limit < 1:
        raise PitfallsError(f"the number of cases is {limit}, expected at least 1")
    return locate(name).read()[:limit]


def data_checksum(name: str) -> str:
    """SHA-256 of the files that `load_cases(name)` reads, in hexadecimal.

    Raises:
        UnknownNameError: no such set or collection.
        PitfallsError: not fetched yet, or unreadable.
    """
    return locate(name).checksum()


def locate(name: str) -> CaseFile:
    """Find the file that a name means, without reading its cases.

    Raises:
        UnknownNameError: no such set or collection.
        PitfallsError: the collection has not been fetched, or the path leads nowhere.
    """
    collected, _, data_set = name.rpartition(":")
    if data_set not in DATASETS:
        return _file_alone(place(name), name)
    kind = DATASETS[data_set]
    if (packaged := collected or STARTER) in PACKAGED:
        return CaseFile(_packaged(packaged) / own_file(data_set), kind)
    if (collection := published().get(collected)) is not None:
        return _in_published(collection, kind)
    path = place(collected)
    if is_folder(path):
        return _in_folder(path, data_set)
    if is_file(path):
        return _as_kind(path, kind)
    raise UnknownNameError("data collection", collected, (*PACKAGED, *published()))


def own_file(data_set: str) -> str:
    """Name of the file that holds a set in our own format, e.g. `conflict-coverage.jsonl`."""
    return data_set.replace("/", "-") + ".jsonl"


def available() -> list[DataSet]:
    """Every set of every collection, those not fetched yet included."""
    rows = []
    for name, data_set in product(PACKAGED, DATASETS):
        path = _packaged(name) / own_file(data_set)
        count = read_header(path).count if path.is_file() else 0
        rows.append(DataSet(name, data_set, count, path.is_file(), "Apache-2.0", "this package"))
    for each, data_set in product(published().values(), published_sets()):
        count = each.entries(released_of(DATASETS[data_set]).file)
        rows.append(DataSet(each.name, data_set, count, each.present, each.licence, each.source))
    return rows


def published_sets() -> list[str]:
    """Names of the data sets that a published collection holds."""
    return [data_set for data_set, kind in DATASETS.items() if kind in released_files()]


def _packaged(name: str) -> Source:
    return resources.files("pitfalls.data") / "starter" / PACKAGED[name]


def _in_published(collection: Published, kind: CaseKind) -> CaseFile:
    if not collection.present:
        raise PitfallsError(collection.absence)
    return _authors_file(collection.directory / released_of(kind).file, kind)


def _in_folder(folder: Path, data_set: str) -> CaseFile:
    """Our file if there is one, else the authors'."""
    kind = DATASETS[data_set]
    own, theirs = folder / own_file(data_set), released_files().get(kind)
    if is_file(own):
        return CaseFile(own, kind)
    if theirs is None:
        raise PitfallsError(f"{folder}: holds no {own.name}, so no {data_set}")
    if is_file(folder / theirs):
        return _authors_file(folder / theirs, kind)
    raise PitfallsError(f"{folder}: holds neither {own.name} nor {theirs}, so no {data_set}")


def _file_alone(path: Path, name: str) -> CaseFile:
    if name and is_folder(path):
        raise PitfallsError(
            f"{name}: is a folder; say which set, for instance {name}:{next(iter(DATASETS))}"
        )
    if not is_file(path):
        if path.suffix in (".json", ".jsonl"):
            raise PitfallsError(f"{name}: no such file")
        raise UnknownNameError("data set", name.rpartition(":")[2], DATASETS)
    if path.suffix == ".jsonl":
        return CaseFile(path, read_header(path).kind)
    return _authors_file(path, _authors_kind(path))


def _as_kind(path: Path, kind: CaseKind) -> CaseFile:
    if path.suffix == ".jsonl":
        return CaseFile(path, kind)
    if path.name in set(released_files().values()) - {released_of(kind).file}:
        # EASY and HARD records look alike, so nothing later would notice.
        raise PitfallsError(f"{path}: does not hold {kind} cases, going by its name")
    return _authors_file(path, kind)


def _authors_file(path: Path, kind: CaseKind) -> CaseFile:
    prompts = path.with_name(released_of(kind).prompts)
    if not is_file(prompts):
        raise PitfallsError(
            f"{path}: needs {prompts.name} beside it for the paraphrases; "
            "copy it from where the cases came from"
        )
    return CaseFile(path, kind, prompts)


def _authors_kind(path: Path) -> CaseKind:
    """The kind of an authors' file, by its name, else by the `type` of its first record."""
    for kind, file_name in released_files().items():
        if path.name == file_name:
            return kind
    records = read_json(path)
    first = records[0] if isinstance(records, list) and records else None
    said = first.get("type") if isinstance(first, dict) else None
    for kind, row in KINDS.items():
        if said is not None and row.released is not None and row.released.says == said:
            return kind
    raise PitfallsError(
        f"{path}: does not tell which cases it holds; add the set, for instance {path}:round/easy"
    )
