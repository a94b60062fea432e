"""Options of the engine that joins large graphs, which several commands take."""

from typing import Annotated, TypeAlias

import typer

from pitfalls.graph.duck import parse_memory

Memory: TypeAlias = Annotated[
    str | None,
    typer.Option(help="Memory for DuckDB, such as 4GB; without it half of what is free."),
]
EngineName: TypeAlias = Annotated[
    str, typer.Option("--engine", help="Engine of the joins: duckdb, spark or spark:URL.")
]
StoreEngine: TypeAlias = Annotated[
    str | None,
    typer.Option("--engine", help="Engine that reads a store: duckdb, spark or spark:URL."),
]


def limit_of(memory: str | None) -> int | None:
    """Bytes that `--memory` asks for; None if it was not given.

    Raises:
        PitfallsError: it is no size.
    """
    return None if memory is None else parse_memory(memory)
