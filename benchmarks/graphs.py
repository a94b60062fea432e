"""How time and memory grow with a graph: import, mining and building, up to many million triples.

Made-up triples with skewed degrees: a few objects stand in a large share of a relation's facts.
Every command is a process of its own, whose peak memory the system tells.

Example: python benchmarks/graphs.py --million 1 --million 5 --folder /tmp/graphs
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import typer
from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

COMMAND = (sys.executable, "-c", "from pitfalls.cli.main import main; main()")
RELATIONS = 100
KINDS = 20
"""Kinds of entity; each relation leads from one kind to another."""
PER_ENTITY = 4
"""Triples for each entity."""
SKEW = 3.0
"""Share u of the entities of a kind stands in about u^(1/SKEW) of the facts as objects."""
SUBJECT_SKEW = 2.0
"""The same for subjects. Hubs are hubs on both sides."""
_SYLLABLES = "ka lo mi re su ta vo ni ber da na sha gor pel in ti os hu ko li"
SYLLABLES = _SYLLABLES.split(" ")
AT_ONCE = 1_000_000

Pairs: TypeAlias = tuple[np.ndarray, np.ndarray]
"""Subjects and objects of one relation's facts, by number: two arrays [facts]."""


def main(
    million: Annotated[list[float], typer.Option(help="Size of a graph; repeat.")],
    folder: Annotated[Path, typer.Option(help="For graphs; each is deleted after use.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same graphs.")] = 0,
    memory: Annotated[str, typer.Option(help="As for the commands.")] = "4GB",
) -> None:
    """Write the graphs, run the commands on them, and print the table."""
    table = Table("triples", "step", "seconds", "seconds per million", "peak MB", box=MARKDOWN)
    for size in million:
        place = folder / f"graph-{size:g}"
        write_graph(place / "in", round(size * 1e6), seed)
        for step, words in _steps(place, memory):
            seconds, peak = _run(words, place / f"{step}.log")
            shown = f"{size:g} million", step, f"{seconds:.1f}", f"{seconds / size:.1f}"
            table.add_row(*shown, f"{peak / 1e6:,.0f}")
            print(*shown, f"{peak / 1e6:,.0f}", flush=True)
        shutil.rmtree(place)
    Console(width=100).print(table)


def _steps(place: Path, memory: str) -> Iterator[tuple[str, list[str]]]:
    store, limit = str(place / "store"), ["--memory", memory]
    yield "import", ["graph", "import", str(place / "in"), "--out", store, *limit]
    rules = str(place / "rules.tsv")
    yield "mine", ["rules", "mine", "--from", store, "--out", rules, *limit]
    cases = ["--count", "100", "--out", str(place / "cases.jsonl")]
    kind = ["--kind", "composite", "--rules", "R1&R2>R0"]
    yield "build", ["build", "--from", store, *kind, *cases]


def _run(words: Sequence[str], log: Path) -> tuple[float, int]:
    """Seconds and peak bytes of a command."""
    start = time.perf_counter()
    with log.open("wb") as out:
        process = subprocess.Popen([*COMMAND, *words], stdout=out, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(words)} ended with {status}:\n{log.read_text()[-2000:]}")
    return time.perf_counter() - start, usage.ru_maxrss * 1024


def write_graph(folder: Path, triples: int, seed: int) -> None:
    """Write triples, labels and types as Parquet tables of texts."""
    folder.mkdir(parents=True)
    entities = max(KINDS * 50, triples // PER_ENTITY)
    _write(folder / "entities.parquet", _named(entities))
    _write(folder / "types.parquet", _typed(entities))
    labels = {"id": [f"R{n}" for n in range(RELATIONS)]}
    labels["label"] = [f"{SYLLABLES[n // 20]}{SYLLABLES[n % 20]} maker" for n in range(RELATIONS)]
    pq.write_table(pa.table(labels), folder / "relations.parquet")
    _write(folder / "triples.parquet", _facts(entities, triples, seed))


def _write(path: Path, parts: Iterator[pa.Table]) -> None:
    first = next(parts)
    with pq.ParquetWriter(path, first.schema, compression="zstd") as out:
        for part in (first, *parts):
            out.write_table(part)


def _named(entities: int) -> Iterator[pa.Table]:
    for start in range(0, entities, AT_ONCE):
        numbers = range(start, min(entities, start + AT_ONCE))
        labels = [_name(number) for number in numbers]
        kinds = [f"T{n}" for n in range(KINDS)] if not start else []
        names = [f"kind {SYLLABLES[n % 20]}" for n in range(KINDS)] if not start else []
        yield pa.table({"id": [*(f"Q{n}" for n in numbers), *kinds], "label": [*labels, *names]})


def _name(number: int) -> str:
    word = ""
    rest = number
    while rest or not word:
        rest, last = divmod(rest, len(SYLLABLES))
        word += SYLLABLES[last]
    return f"{word.capitalize()} {number}"


def _typed(entities: int) -> Iterator[pa.Table]:
    for start in range(0, entities, AT_ONCE):
        numbers = range(start, min(entities, start + AT_ONCE))
        types = [f"T{number % KINDS}" for number in numbers]
        yield pa.table({"entity": [f"Q{n}" for n in numbers], "type": types})


def _facts(entities: int, triples: int, seed: int) -> Iterator[pa.Table]:
    """Facts of all relations: drawn ones, and for some relations those that a rule asks for."""
    dice = np.random.default_rng(seed)
    each, kept = triples // RELATIONS, dict[int, Pairs]()
    before = _drawn(0, entities, 0, dice)
    for relation in range(RELATIONS):
        subjects, objects = _drawn(relation, entities, each, dice)
        if relation % 10 == 0:  # most of it follows from the two relations behind it
            later = [_drawn(relation + n, entities, each, np.random.default_rng(n)) for n in (1, 2)]
            kept = {relation + n: pair for n, pair in zip((1, 2), later, strict=True)}
            subjects, objects = _composed(*later, subjects, objects)
        elif relation in kept:
            subjects, objects = kept[relation]
        elif relation % 10 == 4:  # the inverse of the relation before it, with gaps
            there = dice.random(len(subjects)) < 0.8
            subjects = np.where(there, before[1], subjects)
            objects = np.where(there, before[0], objects)
        before = subjects, objects
        yield pa.table(
            {
                "subject": [f"Q{n}" for n in subjects.tolist()],
                "relation": [f"R{relation}"] * len(subjects),
                "object": [f"Q{n}" for n in objects.tolist()],
            }
        )


def _composed(
    tied: Pairs,
    body: Pairs,
    subjects: np.ndarray,
    objects: np.ndarray,
) -> Pairs:
    """Facts (x, z) with tied(x, y) and body(y, z), and drawn ones where there is no z."""
    order = np.argsort(body[0], kind="stable")
    starts, ends = body[0][order], body[1][order]
    at = np.minimum(np.searchsorted(starts, tied[1]), len(starts) - 1)
    found = starts[at] == tied[1]
    return np.where(found, tied[0], subjects), np.where(found, ends[at], objects)


def _drawn(relation: int, entities: int, size: int, dice: np.random.Generator) -> Pairs:
    """Subjects and objects of a relation; low numbers of a kind are drawn most often."""
    one, other = _kinds(relation)
    per_kind = entities // KINDS
    subjects = (per_kind * dice.random(size) ** SUBJECT_SKEW).astype(np.int64)
    objects = (per_kind * dice.random(size) ** SKEW).astype(np.int64)
    return subjects * KINDS + one, objects * KINDS + other


def _kinds(relation: int) -> tuple[int, int]:
    """Kinds of the subjects and objects of a relation."""
    base, place = divmod(relation, 10)
    start = base * 2 % KINDS
    chain = {0: (0, 2), 1: (0, 1), 2: (1, 2), 3: (2, 3), 4: (3, 2)}
    if place in chain:
        one, other = chain[place]
        return (start + one) % KINDS, (start + other) % KINDS
    return (start + place) % KINDS, (start + place * place) % KINDS


if __name__ == "__main__":
    typer.run(main)
