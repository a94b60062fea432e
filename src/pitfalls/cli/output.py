"""An answer in every format: terminal, Markdown, LaTeX, CSV, Parquet and JSON."""

import io
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from rich.console import Console

from pitfalls.disk import write_bytes
from pitfalls.errors import PitfallsError
from pitfalls.report.grid import Grid
from pitfalls.report.latex import latex
from pitfalls.report.markdown import markdown
from pitfalls.report.tidy import as_csv, as_parquet

FORMATS = ("terminal", "markdown", "latex", "csv", "parquet", "json")


@dataclass(frozen=True, slots=True)
class Answer:
    """Result of a command, in the forms that the formats are made from."""

    rows: Sequence[Mapping[str, Any]]
    """Rows of the JSON list."""
    table: Callable[[], pa.Table]
    grids: Callable[[], Sequence[Grid]]
    draw: Callable[[Console], None]


def show(answer: Answer, style: str, out: Path | None) -> None:
    """Print the answer or write it to a file.

    Raises:
        PitfallsError: Parquet was asked for on a terminal, or the file cannot be written.
    """
    if style == "terminal" and out is None:
        answer.draw(Console(highlight=False))
    elif out is not None:
        write_bytes(out, _content(answer, style))
    elif style != "parquet":
        print(_content(answer, style).decode().rstrip("\n"))
    elif is_terminal():
        raise PitfallsError("Parquet is not text: give --out FILE.parquet or redirect the output")
    else:
        sys.stdout.buffer.write(_content(answer, style))


def is_terminal() -> bool:
    """Whether the output goes to a terminal."""
    return sys.stdout.isatty()


def _content(answer: Answer, style: str) -> bytes:
    match style:
        case "markdown":
            return markdown(answer.grids()).encode()
        case "latex":
            return latex(answer.grids()).encode()
        case "csv":
            return as_csv(answer.table()).encode()
        case "parquet":
            return as_parquet(answer.table())
        case "json":
            text = json.dumps(answer.rows, indent=2, ensure_ascii=False, allow_nan=False)
            return f"{text}\n".encode()
        case _:
            return _plain(answer)


def _plain(answer: Answer) -> bytes:
    stream = io.StringIO()
    answer.draw(Console(highlight=False, width=120, color_system=None, file=stream))
    return stream.getvalue().encode()
