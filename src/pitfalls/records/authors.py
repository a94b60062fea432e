"""The result files of the authors' own scripts as observations.

DIR/conflict_results/ROME_coverage.json    a list of records; also `.json.gz`
DIR/round_results/MEMIT_easy_multi.json    `_multi` is the Multi-Label Edit, `memit+mle`
DIR/round_results/easy_model.json          the unedited model, joined to the others by position
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pitfalls.door.compressed import read_compressed
from pitfalls.door.paths import is_file
from pitfalls.door.text import decoded
from pitfalls.door.values import parse_json
from pitfalls.errors import PitfallsError
from pitfalls.records.authors_rows import conflict_probabilities, round_probabilities, subject_of
from pitfalls.records.observation import Observation, Source, not_finite
from pitfalls.vocabulary import DATASETS, KIND_WORDS

_DATA = (
    "conflict/coverage",
    "conflict/reverse",
    "conflict/composite",
    "round/easy",
    "round/hard",
)
"""The data sets that their scripts measure."""
_SPLITS = "|".join(data.split("/")[1] for data in _DATA)
_NAME = re.compile(rf"(?P<method>.+)_(?P<split>{_SPLITS})(?P<mle>_multi)?")
_FOLDERS: Mapping[str, str] = {"conflict": "conflict_results", "round": "round_results"}
_SUFFIXES = (".json", ".json.gz")


@dataclass(frozen=True, slots=True)
class ResultFile:
    """One result file and what its name says."""

    path: Path
    source: Source

    @property
    def is_round(self) -> bool:
        """Whether it has to be joined with the unedited model."""
        return KIND_WORDS[self.source.kind].several

    @property
    def is_multi(self) -> bool:
        """Whether it is of the Multi-Label Edit."""
        return self.source.editor.endswith("+mle")


def observe_authors_results(directory: Path) -> Iterator[Observation]:
    """Every record of every result file, in the order of the paper's tables.

    Raises:
        PitfallsError: no result files, a damaged one, or a record that lacks a key.
    """
    for file in result_files(directory):
        records = _read_records(file.path)
        baseline = _read_baseline(file, len(records)) if file.is_round else None
        for position, record in enumerate(records):
            where = f"{file.path}: record {position}"
            found = (
                conflict_probabilities(record, file.source.kind, where=where)
                if baseline is None
                else round_probabilities(
                    record, baseline[position], multi=file.is_multi, where=where
                )
            )
            case_id = f"{file.source.kind}-{position:05d}"
            yield Observation(
                source=file.source,
                case_id=case_id,
                subject=subject_of(record) or case_id,
                probabilities=found,
                failure=not_finite(found),
            )


def result_files(directory: Path) -> list[ResultFile]:
    """The result files in `directory`, by data set, then by editor; other files are passed over.

    Raises:
        PitfallsError: there is none.
    """
    found = [file for data in _DATA for file in _files_of(directory, data)]
    if not found:
        raise PitfallsError(
            f"no result files in {directory}: expected conflict_results/ROME_coverage.json, "
            "round_results/ROME_easy.json or the like; give the folder that holds these two"
        )
    return found


def _files_of(directory: Path, data: str) -> list[ResultFile]:
    group, split = data.split("/")
    folder = directory / _FOLDERS[group]
    names = {_stem(path) for path in folder.glob("*") if path.name.endswith(_SUFFIXES)}
    matches = [match for name in sorted(names) if (match := _NAME.fullmatch(name))]
    return [
        ResultFile(_existing(folder, match.string), _source(directory, match, data))
        for match in matches
        if match["split"] == split
    ]


def _source(directory: Path, match: re.Match[str], data: str) -> Source:
    """Their files do not say which model was edited; the folder's name is the best guess."""
    return Source(
        run=str(directory),
        model=directory.resolve().name or "authors",
        editor=match["method"].lower() + ("+mle" if match["mle"] else ""),
        data=data,
        kind=DATASETS[data],
    )


def _existing(folder: Path, stem: str) -> Path:
    """The plain file if it is there, else the compressed one."""
    plain, compressed = (folder / f"{stem}{suffix}" for suffix in _SUFFIXES)
    return compressed if is_file(compressed) and not is_file(plain) else plain


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(".json")


def _read_baseline(file: ResultFile, count: int) -> list[Any]:
    split = file.source.data.removeprefix("round/")
    path = _existing(file.path.parent, f"{split}_model")
    if not is_file(path):
        raise PitfallsError(
            f"{file.path} needs {path.name} beside it, the same cases on the unedited model; "
            "run their evaluate_model.py first"
        )
    baseline = _read_records(path)
    if len(baseline) < count:
        raise PitfallsError(
            f"{path} has {len(baseline)} records, {file.path.name} has {count}; "
            "they are joined by position, so make both from the same cases"
        )
    return baseline


def _read_records(path: Path) -> list[Any]:
    text = decoded(read_compressed(path), where=str(path))
    records = parse_json(text, where=str(path))
    if not isinstance(records, list) or not records:
        raise PitfallsError(f"{path}: expected a list of at least one record")
    return records
