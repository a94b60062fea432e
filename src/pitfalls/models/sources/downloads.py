"""Download of a wheel with the installed package client, with progress by bytes."""

import importlib.util
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

from pitfalls.errors import PitfallsError
from pitfalls.progress import Advance, Amount


def pip_download(requirement: str, folder: Path) -> None:
    """Download the wheel of `name==version` into `folder` with pip, which applies its settings.

    A custom index, a proxy or a folder of wheels (`PIP_INDEX_URL`, `PIP_FIND_LINKS`) then work as
    for every other package.

    Raises:
        PitfallsError: there is no pip, or it cannot fetch the wheel.
    """
    command = [*_pip(requirement), "download", requirement, "--dest", str(folder)]
    options = ["--no-deps", "--only-binary=:all:", "--no-input", "--quiet"]
    # pip downloads to the temporary folder first, where progress can be measured.
    surroundings = {**os.environ, "TMPDIR": str(folder)}
    done = subprocess.run(command + options, capture_output=True, text=True, env=surroundings)
    if done.returncode != 0:
        raise PitfallsError(
            f"cannot download {requirement} ({_reason(done.stderr)}): expected a network or an "
            "index that has it; without one, name a local model directory, GGUF or text file"
        )


@contextmanager
def watched(folder: Path, total: Amount | None, advance: Advance) -> Iterator[None]:
    """Report the growth of `folder` in bytes while the block runs, up to `total`."""
    stop = Event()
    watcher = Thread(target=_watch, args=(folder, total, advance, stop), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()


def _watch(folder: Path, total: Amount | None, advance: Advance, stop: Event) -> None:
    seen: Amount = 0
    start = _size(folder)
    while not stop.wait(0.2):
        now = min(_size(folder) - start, total or math.inf)
        if now > seen:
            advance(now - seen)
            seen = now
    if total is not None:
        advance(total - seen)


def _size(folder: Path) -> int:
    size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            # A temporary file may have been moved meanwhile.
            with suppress(FileNotFoundError):
                size += Path(place, name).lstat().st_size
    return size


def _pip(requirement: str) -> list[str]:
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    # Environments made by uv have no pip of their own.
    if uvx := shutil.which("uvx"):
        return [uvx, "pip"]
    raise PitfallsError(
        f"cannot download {requirement}: expected pip in this environment or uvx on the path; "
        "run 'python -m ensurepip', then try again"
    )


def _reason(stderr: str) -> str:
    # pip marks what went wrong with either of these, depending on how it failed.
    told = [line for line in stderr.splitlines() if line.startswith(("ERROR: ", "× "))]
    return told[-1].removeprefix("ERROR: ").removeprefix("× ") if told else "pip gave no reason"
