"""Docstrings open with a noun or a verb, which "What …" and "Of …" put off."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]

OPENINGS = ("What ", "Of ")


def docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of every string that documents a module, class, function or attribute."""
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield node.lineno, text


def riddles(code: str) -> list[int]:
    """Lines of the docstrings that open in a way that is refused."""
    found = docstrings(ast.parse(code))
    return sorted(line for line, text in found if text.lstrip().startswith(OPENINGS))


FILES = sorted(
    file.relative_to(REPOSITORY).as_posix()
    for folder in ("src", "tools", "benchmarks")
    for file in (REPOSITORY / folder).rglob("*.py")
)


def test_no_docstring_opens_with_what_or_of() -> None:
    assert len(FILES) > 100, "the package is read"
    found = [
        f"{name}:{line}"
        for name in FILES
        for line in riddles((REPOSITORY / name).read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ('"""What it is."""', [1]),
        ('"""It is what it is."""', []),
        ('class A:\n    """Of this."""', [2]),
        ('class A:\n    x: int\n    """Of this."""', [3]),
        ('X = 1\n"""What X is."""', [2]),
        ('def f() -> None:\n    """\n    What it does."""', [2]),
        ('async def f() -> None:\n    """Whatever it does."""', []),
        ('x = "What is the capital of France?"', []),
    ],
)
def test_the_reader_of_docstrings_sees_all_of_them(code: str, lines: list[int]) -> None:
    assert riddles(code) == lines
