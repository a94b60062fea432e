"""`pitfalls editors`: the methods there are, and how they differ."""

import json
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table


def editors(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> None:
    """List the editors: what each stores and needs, and its exports by `pitfalls stack`.

    Example: pitfalls editors
    """
    rows = _rows()
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    table = Table(box=SIMPLE_HEAD)
    for name in ("editor", "stores", "needs", "exports", "paper"):
        table.add_column(name, no_wrap=name not in ("exports", "paper"))
    for row in rows:
        told = ", ".join(each.partition(" ")[0] for each in row["exports"]) or "none"
        table.add_row(row["name"], row["stores"], row["needs"], told, row["paper"])
    Console().print(table)


def _rows() -> list[dict[str, Any]]:
    from pitfalls.editors.table import EDITORS  # torch, only where it is asked for

    return [
        {
            "name": name,
            "stores": method.about.stores.words,
            "needs": method.about.needs,
            "merges": method.about.stores.merges,
            "exports": list(method.about.stores.exports),
            "paper": method.about.paper,
        }
        for name, method in EDITORS.items()
    ]
