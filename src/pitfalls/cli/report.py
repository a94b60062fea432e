"""`pitfalls report`: one HTML page about runs."""

from pathlib import Path
from typing import Annotated

import typer

from pitfalls.cli.options import Runs
from pitfalls.cli.reading import preset_named
from pitfalls.disk import write_bytes
from pitfalls.report.html import html_report


def report(
    runs: Runs = None,
    *,
    html: Annotated[Path, typer.Option(help="The file to write; it opens without a network.")],
    preset: Annotated[str, typer.Option(help="Arithmetic: `authors` or `clean`.")] = "authors",
    base: Annotated[
        str | None, typer.Option(help="The run to compare the others with. Left out: the first.")
    ] = None,
) -> None:
    """Write one page with the tables, plots and every case of finished or running runs.

    Example: pitfalls report runs/a runs/b --base runs/a --html report.html
    """
    page = html_report(runs or [], preset=preset_named(preset), base=base).encode()
    write_bytes(html, page)
    print(f"{html}: {len(page) / 1e6:.1f} MB, {len(runs or [])} runs")
