"""How fast `pitfalls graph dump` reads a Wikidata dump, and in how much memory.

A made-up dump of the real layout is written in each packing and read by the command itself, in a
process of its own, whose peak memory the system tells. One more reading is killed in the middle and
begun again: the store must come out the same to the byte.

Example: python benchmarks/dump.py --gigabytes 1.2 --folder /tmp/dump
"""

import gzip
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from made_up_dump import RELATIONS, entity_lines
from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

WIKIDATA_ENTITIES, WIKIDATA_BYTES = 115e6, 1.5e12
"""Assumed size of the whole dump, decompressed; compressed it is a tenth of that or less."""
GIGABYTE = 1e9
COMMAND = (sys.executable, "-c", "from pitfalls.cli.main import main; main()", "graph", "dump")


def _gzip(path: Path) -> Any:
    return gzip.open(path, "wb", compresslevel=6)


def _zstandard(path: Path) -> Any:
    import zstandard

    return zstandard.open(path, "wb")


PACKINGS: dict[str, Callable[[Path], Any]] = {
    ".json": lambda path: path.open("wb"),
    ".json.gz": _gzip,
    ".json.zst": _zstandard,
}


@dataclass(frozen=True)
class Reading:
    """One run of the command."""

    seconds: float
    peak: int
    """Bytes."""


def main(
    gigabytes: Annotated[float, typer.Option(help="Of the dump, unpacked.")] = 1.2,
    folder: Annotated[Path, typer.Option(help="For dumps and stores; emptied at the end.")] = Path(
        "dump-benchmark"
    ),
    seed: Annotated[int, typer.Option(help="The same seed gives the same dump.")] = 0,
) -> None:
    """Write the dumps, read them, and print the table."""
    folder.mkdir(parents=True)
    entities, size = _write(folder, gigabytes * GIGABYTE, seed)
    table = Table(
        *("packing", "packed MB", "seconds", "entities/s", "MB/s", "peak memory MB"),
        "whole dump, hours",
        box=MARKDOWN,
    )
    for ending in PACKINGS:
        read = _read(folder, ending)
        table.add_row(*_row(folder / f"dump{ending}", read, entities, size))
    console = Console(width=140)
    console.print(f"{entities:,} entities of {size / entities / 1e3:.1f} KB, {size / 1e9:.2f} GB")
    console.print(table)
    console.print(_killed(folder))
    shutil.rmtree(folder)


def _write(folder: Path, wanted: float, seed: int) -> tuple[int, int]:
    """Entities and bytes of the dump, which is then there in each packing."""
    entities = size = 0
    files = [pack(folder / f"dump{ending}") for ending, pack in PACKINGS.items()]
    for line in _dump_lines(wanted, seed):
        entities += line.startswith(b"{")
        size += len(line)
        for file in files:
            file.write(line)
    for file in files:
        file.close()
    return entities, size


def _dump_lines(wanted: float, seed: int) -> Any:
    written = 0
    yield b"[\n"
    for line in entity_lines(seed):
        yield line
        if (written := written + len(line)) >= wanted:
            break
    yield b"]\n"


def _start(folder: Path, ending: str, out: str) -> "subprocess.Popen[bytes]":
    words = [word for each in RELATIONS for word in ("--relation", each)]
    arguments = [str(folder / f"dump{ending}"), "--out", str(folder / out), *words]
    return subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.DEVNULL)


def _read(folder: Path, ending: str, out: str = "") -> Reading:
    start = time.perf_counter()
    process = _start(folder, ending, out or f"store{ending}")
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"reading dump{ending} ended with {status}")
    return Reading(time.perf_counter() - start, usage.ru_maxrss * 1024)


def _row(dump: Path, read: Reading, entities: int, size: int) -> list[str]:
    rate = entities / read.seconds
    return [
        dump.suffix.removeprefix(".").replace("json", "plain"),
        f"{dump.stat().st_size / 1e6:,.0f}",
        f"{read.seconds:.1f}",
        f"{rate:,.0f}",
        f"{size / read.seconds / 1e6:,.0f}",
        f"{read.peak / 1e6:,.0f}",
        f"{WIKIDATA_BYTES / (size / read.seconds) / 3600:.1f} by bytes, "
        f"{WIKIDATA_ENTITIES / rate / 3600:.1f} by entities",
    ]


def _killed(folder: Path) -> str:
    """Kills a reading once it has noted something, and lets the same command go on."""
    process = _start(folder, ".json.gz", "killed")
    note = folder / "killed" / "store.json"
    while not note.is_file() or not json.loads(note.read_text())["lines"]:
        if process.poll() is not None:
            return "too small a dump to kill its reading in the middle"
        time.sleep(0.05)
    process.kill()
    process.wait()
    again = _read(folder, ".json.gz", "killed")
    same = all(
        path.read_bytes() == (folder / "killed" / path.name).read_bytes()
        for path in (folder / "store.json.gz").iterdir()
    )
    return f"killed behind the first note, then finished in {again.seconds:.1f} s; same: {same}"


if __name__ == "__main__":
    typer.run(main)
