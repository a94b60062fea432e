"""Options of the engine that joins large graphs, which several commands take."""

from typing import Annotated, TypeAlias

import typer

from pitfalls.graph.duck import parse_memory

Memory: TypeAlias = Annotated[
    str | None,
    typer.Option(help="Memory for DuckDB, such as 4GB; without it half of what is free."),
]


def limit_of(memory: str | None) -> int | None:
    """Bytes that `--memory` asks for; None if it was not given.

    Raises:
        PitfallsError: it is no size.
    """
    return None if memory is None else parse_memory(memory)
