"""Commands are short: a line an option, and a body that calls the library."""

import ast
from pathlib import Path

import pytest

import pitfalls.cli

FILES = sorted(Path(pitfalls.cli.__file__).parent.glob("*.py"))
LONGEST = 50


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_function_is_long(file: Path) -> None:
    """Signature and help text included."""
    functions = [
        node
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
    ]
    lengths = {each.name: (each.end_lineno or 0) - each.lineno + 1 for each in functions}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}
