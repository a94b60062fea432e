"""`pitfalls build`: cases from a graph."""

from pathlib import Path
from typing import Annotated

import typer

from pitfalls.cases.build import build_cases
from pitfalls.cases.files import write_cases
from pitfalls.graph.starter import starter_graph
from pitfalls.vocabulary import CaseKind


def build(
    kind: Annotated[CaseKind, typer.Option(help="What kind of case.")],
    out: Annotated[Path, typer.Option(help="The file to write, JSON lines.")],
    count: Annotated[int, typer.Option(help="How many cases.")] = 60,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 0,
) -> None:
    """Build cases from the starter graph and write them to a file that `--data` takes.

    Example: pitfalls build --kind reverse --count 100 --seed 1 --out reverse.jsonl
    """
    cases = build_cases(starter_graph(), kind, count=count, seed=seed)
    origin = f"pitfalls build --kind {kind} --count {count} --seed {seed}"
    write_cases(out, cases, origin=origin)
    print(f"{out}: {len(cases)} {kind} cases")
