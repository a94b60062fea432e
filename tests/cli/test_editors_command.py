"""`pitfalls editors` lists the table of editors."""

import json

from commands import CommandLine

from pitfalls.editors.editor import Editor
from pitfalls.editors.table import EDITORS


def test_the_json_is_the_table(pitfalls: CommandLine) -> None:
    rows = json.loads(pitfalls("editors", "--json").out)
    assert [row["name"] for row in rows] == list(EDITORS)
    assert all(
        set(row) == {"name", "stores", "needs", "merges", "exports", "paper"} for row in rows
    )
    (rome,) = (row for row in rows if row["name"] == "rome")
    assert rome["merges"] and rome["exports"] == ["merge", "adapter"]
    assert "2202.05262" in rome["paper"]


def test_every_editor_says_what_it_is() -> None:
    assert all(method.about != Editor.about for method in EDITORS.values())


def test_the_table_names_each(pitfalls: CommandLine) -> None:
    told = pitfalls("editors").out
    assert all(f" {name} " in told for name in EDITORS)
