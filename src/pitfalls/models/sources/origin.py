"""Note inside every converted model: its origin and the checksums of its files.

A folder without the note, or with other files, is not a valid conversion.
"""

import json
from hashlib import sha256
from pathlib import Path

from pydantic import BaseModel

from pitfalls.door.values import read_json
from pitfalls.errors import PitfallsError
from pitfalls.progress import SILENT, Progress
from pitfalls.shapes import check

NOTE = "origin.json"
CHUNK = 1 << 22


class _Note(BaseModel):
    files: dict[str, str]


def checksum_of(file: Path, *, progress: Progress = SILENT) -> str:
    """Checksum (sha256) of a file's content.

    Raises:
        PitfallsError: the file cannot be read.
    """
    digest = sha256()
    try:
        size = file.stat().st_size
        with progress.stage(f"checking {file.name}", size, "B") as advance, file.open("rb") as read:
            while chunk := read.read(CHUNK):
                digest.update(chunk)
                advance(len(chunk))
    except OSError as error:
        raise PitfallsError(f"cannot read {file}: {error.strerror}") from error
    return digest.hexdigest()


def write_note(folder: Path, source: dict[str, str]) -> None:
    """Write the folder's note: `source` and the checksums of all files."""
    files = {path.name: checksum_of(path) for path in sorted(folder.iterdir())}
    note = json.dumps(source | {"files": files}, indent=2, ensure_ascii=False)
    (folder / NOTE).write_text(note + "\n", encoding="utf-8")


def verify(folder: Path, *, progress: Progress = SILENT) -> None:
    """Compare a converted model with its note.

    Raises:
        PitfallsError: there is no note, or a file is missing or has changed.
    """
    try:
        told = check(_Note, read_json(folder / NOTE), where=NOTE)
    except PitfallsError as error:
        raise PitfallsError(
            f"{folder} has no readable {NOTE} ({error}), expected a model converted here; "
            "delete the folder and fetch the model again"
        ) from None
    for name, checksum in told.files.items():
        found = checksum_of(folder / name, progress=progress)
        if found != checksum:
            raise PitfallsError(
                f"{folder / name} has sha256 {found[:16]}…, expected {checksum[:16]}…; "
                "delete the folder and fetch the model again"
            )
