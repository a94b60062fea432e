"""The rooms of the package import one way, and what needs no torch does not get it."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pitfalls

PACKAGE = Path(pitfalls.__file__).parent

GROUND = frozenset(
    {"cache", "data", "disk", "door", "errors", "facts", "progress", "settings", "shapes"}
    | {"vocabulary"}
)
"""Modules that every room stands on."""

MAY_IMPORT: dict[str, frozenset[str]] = {
    "graph": frozenset(),
    "rules": frozenset({"graph"}),
    "cases": frozenset({"graph", "rules"}),
    "models": frozenset(),
    "editors": frozenset({"models"}),
    "effects": frozenset({"graph", "cases", "models", "editors"}),
    "locate": frozenset({"models"}),  # asks the unedited model alone; its proposal is words
    "records": frozenset(),
    "metrics": frozenset({"records"}),
    "report": frozenset({"records", "metrics"}),
    "bench": frozenset({"graph", "rules", "cases", "models", "editors", "records"}),
    "testing": frozenset({"models", "editors"}),
}
"""Room → the rooms it may know. `cli` and the package itself may know them all."""

WITHOUT_TORCH = ("door", "graph", "rules", "cases", "records", "metrics", "report")


def room_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_by(file: Path) -> Iterator[tuple[int, str]]:
    """Line and room of everything of the package that the file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: imports are absolute here"
            module = node.module or ""
            names = [module]
            if module == "pitfalls":
                names = [f"pitfalls.{alias.name}" for alias in node.names]
        for name in names:
            if name.startswith("pitfalls."):
                yield node.lineno, name.split(".")[1]


def test_every_room_is_in_the_table() -> None:
    rooms = {room_of(file) for file in PACKAGE.rglob("*.py")}
    assert rooms == {*GROUND, *MAY_IMPORT, "cli", "__init__"}


@pytest.mark.parametrize("room", [*MAY_IMPORT, *sorted(GROUND)])
def test_imports_point_one_way(room: str) -> None:
    allowed = GROUND | MAY_IMPORT.get(room, frozenset()) | {room}
    files = [file for file in PACKAGE.rglob("*.py") if room_of(file) == room]
    wrong = [
        f"{file.relative_to(PACKAGE)}:{line} imports pitfalls.{other}"
        for file in files
        for line, other in imported_by(file)
        if other not in allowed
    ]
    assert wrong == []


def test_no_two_rooms_know_each_other() -> None:
    mutual = [
        (one, other)
        for one, others in MAY_IMPORT.items()
        for other in others
        if one in MAY_IMPORT.get(other, frozenset())
    ]
    assert mutual == []


def test_rooms_without_torch_do_not_even_load_it() -> None:
    code = f"""
import importlib, pkgutil, sys
for room in {WITHOUT_TORCH}:
    package = importlib.import_module(f"pitfalls.{{room}}")
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(found.name)
import pitfalls.cli.main
print(*sorted({{"torch", "transformers"}} & set(sys.modules)))
"""
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""
