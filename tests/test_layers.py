"""Imports between rooms go one way, and modules that need no torch do not import it."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import pitfalls

PACKAGE = Path(pitfalls.__file__).parent

GROUND = frozenset(
    {"cache", "data", "disk", "door", "errors", "facts", "leftovers", "progress", "settings"}
    | {"shapes", "staging", "vocabulary"}
)
"""Modules that every room may import."""

MAY_IMPORT: dict[str, frozenset[str]] = {
    "graph": frozenset(),
    "rules": frozenset({"graph"}),
    "cases": frozenset({"graph", "rules", "cases.kinds"}),
    "cases.kinds": frozenset(
        {"graph", "rules", "cases.case", "cases.steps", "cases.order", "cases.drafts"}
        | {"cases.similarity", "cases.wordings", "cases.released_shapes", "cases.authors_records"}
    ),
    "models": frozenset({"models.sources", "models.weights"}),
    "models.sources": frozenset({"models.weights"}),
    "models.weights": frozenset(),
    "models.text": frozenset({"models", "models.sources"}),
    "models.running": frozenset({"models", "models.weights"}),
    "models.reading": frozenset({"models", "models.weights", "models.text", "models.running"}),
    "updates": frozenset({"models.*"}),
    "editors": frozenset({"models.*", "updates", "editors.insertion", "editors.mend"}),
    "editors.insertion": frozenset({"models.*", "updates", "editors.editor", "editors.adam"}),
    "editors.mend": frozenset(
        {
            "models.*",
            "updates",
            "editors.about",
            "editors.editor",
            "editors.gradients",
            "editors.presets",
        }
    ),
    "effects": frozenset({"graph", "cases", "models.*", "updates", "editors"}),
    "locate": frozenset({"models.*"}),  # asks the unedited model alone; its proposal is words
    "records": frozenset(),
    "metrics": frozenset({"records"}),
    "report": frozenset({"records", "metrics"}),
    "bench": frozenset(
        {"graph", "rules", "cases", "models.*", "updates", "editors", "records"}
        | {"editors.mend.practice"}  # the lessons of a training come out of a graph
    ),
    "testing": frozenset({"models.*", "updates", "editors", "testing.pretend"}),
    "testing.pretend": frozenset({"models.*"}),
}
"""Room → the rooms, or files in them, that it may import; `models.*` is a room and its inner rooms.

`cli` and the package itself may import everything.
"""

WITHOUT_TORCH = ("door", "graph", "rules", "cases", "records", "metrics", "report")
ROOMS = frozenset(
    ".".join(file.parent.relative_to(PACKAGE).parts) for file in PACKAGE.rglob("__init__.py")
)


def dotted(file: Path) -> str:
    """Name of a file's module after `pitfalls.`; that of an `__init__` is its folder's."""
    return ".".join(file.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def room_of(module: str) -> str:
    """The innermost folder that a module lies in; itself, if it lies in none."""
    while module not in ROOMS and "." in module:
        module = module.rpartition(".")[0]
    return module


def imported_by(file: Path) -> Iterator[tuple[int, str]]:
    """Line and module of everything of the package that the file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: imports are absolute here"
            names = [node.module or ""]
            if names[0].removeprefix("pitfalls").removeprefix(".") in ROOMS:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            if name.startswith("pitfalls."):
                yield node.lineno, name.removeprefix("pitfalls.")


def may_know(room: str, module: str) -> bool:
    """Whether the table lets a room import a module."""
    theirs = room_of(module)
    allowed = MAY_IMPORT.get(room, frozenset()) | {room}
    return (
        theirs.partition(".")[0] in GROUND
        or theirs in allowed
        or module in allowed
        or f"{theirs.partition('.')[0]}.*" in allowed
    )


def test_every_room_is_in_the_table() -> None:
    rooms = {room_of(dotted(file)) for file in PACKAGE.rglob("*.py")}
    assert rooms == {*GROUND, *MAY_IMPORT, "cli", "__init__", "__main__"}


@pytest.mark.parametrize("room", [*MAY_IMPORT, *sorted(GROUND)])
def test_imports_point_one_way(room: str) -> None:
    wrong = [
        f"{file.relative_to(PACKAGE)}:{line} imports pitfalls.{module}"
        for file in PACKAGE.rglob("*.py")
        if room_of(dotted(file)) == room
        for line, module in imported_by(file)
        if not may_know(room, module)
    ]
    assert wrong == []


def test_no_two_rooms_know_each_other() -> None:
    mutual = {
        (one, other)
        for one in MAY_IMPORT
        for other in MAY_IMPORT
        if one < other and may_know(one, other) and may_know(other, one)
    }
    assert mutual == set()


def test_no_module_imports_itself_in_a_circle() -> None:
    modules = {dotted(file): file for file in PACKAGE.rglob("*.py")}
    graph = {name: {to for _, to in imported_by(file)} for name, file in modules.items()}
    tuple(TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle


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
