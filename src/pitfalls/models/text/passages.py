"""Passages from text files, in a format given by the suffix.

`.txt` paragraphs between blank lines · `.tsv` the last column · `.jsonl` the field `text`; each
also as `.gz`. Passages keep the order of the file; empty ones are left out.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path

from pitfalls.door.compressed import numbered_bytes
from pitfalls.door.text import decoded
from pitfalls.door.values import parse_json
from pitfalls.errors import PitfallsError


def read_texts(file: Path) -> tuple[str, ...]:
    """Read all passages of a file.

    Raises:
        PitfallsError: the file cannot be read, does not match its suffix, or is empty.
    """
    ending = "".join(file.suffixes[-2:]) if file.suffix == ".gz" else file.suffix
    reader = READERS.get(ending.removesuffix(".gz"))
    if reader is None:
        known = ", ".join(READERS)
        raise PitfallsError(f"{file} ends in {ending!r}, expected {known}, or one of them with .gz")
    texts = tuple(stripped for text in reader(file) if (stripped := text.strip()))
    if not texts:
        raise PitfallsError(f"{file} holds no text, expected at least one passage")
    return texts


def write_texts(texts: Iterable[str], file: Path) -> None:
    """Write passages as `.jsonl`, which can hold any text."""
    with file.open("w", encoding="utf-8") as out:
        for text in texts:
            out.write(json.dumps({"text": text}) + "\n")


def _lines(file: Path) -> Iterator[str]:
    for number, line in numbered_bytes(file):
        yield decoded(line, where=f"{file}: line {number}")


def _paragraphs(file: Path) -> Iterator[str]:
    for blank, group in groupby(_lines(file), key=lambda line: not line.strip()):
        if not blank:
            yield "".join(group)


def _last_columns(file: Path) -> Iterator[str]:
    for line in _lines(file):
        yield line.rsplit("\t", 1)[-1]


def _text_fields(file: Path) -> Iterator[str]:
    for number, line in enumerate(_lines(file), start=1):
        found = parse_json(line, where=f"{file}: line {number}")
        text = found.get("text") if isinstance(found, dict) else None
        if not isinstance(text, str):
            raise PitfallsError(
                f"line {number} of {file} is {line.strip()[:60]!r}, "
                'expected an object with a string "text"'
            )
        yield text


READERS: dict[str, Callable[[Path], Iterator[str]]] = {
    ".txt": _paragraphs,
    ".tsv": _last_columns,
    ".jsonl": _text_fields,
}
"""Suffix → reader of the passages."""
