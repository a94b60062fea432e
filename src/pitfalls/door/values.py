"""JSON and TOML, parsed into values that the rest of the package can rely on."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from typing import Any

from pitfalls.door.text import Source, read_text, text_fault
from pitfalls.errors import PitfallsError

DEEPEST = 100
"""Deepest nesting of lists and objects. No file in use has ten levels."""
_ESCAPED_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def parse_json(text: str, *, where: str) -> Any:
    """Parse JSON.

    Raises:
        PitfallsError: it is not JSON, or `refuse_unsound` refuses it; the line starts with `where`.
    """
    found = _parsed(json.loads, text, "JSON", where)
    # Walking the value takes as long as parsing; most texts can be seen to need no walk.
    if text.count("[") + text.count("{") > DEEPEST or _ESCAPED_HALF.search(text):
        refuse_unsound(found, where=where)
    return found


def parse_toml(text: str, *, where: str) -> dict[str, Any]:
    """Parse TOML.

    Raises:
        PitfallsError: it is not TOML, or `refuse_unsound` refuses it; the line starts with `where`.
    """
    found: dict[str, Any] = _parsed(tomllib.loads, text, "TOML", where)
    refuse_unsound(found, where=where)
    return found


def read_json(source: Source) -> Any:
    """Read a JSON file.

    Raises:
        PitfallsError: as `read_text` and `parse_json`.
    """
    return parse_json(read_text(source), where=str(source))


def read_toml(source: Source) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        PitfallsError: as `read_text` and `parse_toml`.
    """
    return parse_toml(read_text(source), where=str(source))


def read_json_lines(source: Source) -> Iterator[tuple[str, Any]]:
    """Read a file of JSON lines: each value with its place; blank lines are skipped.

    Raises:
        PitfallsError: as `read_text` and `parse_json`, with the line number.
    """
    # Only "\n" ends a line: texts may contain other characters that `splitlines` would split at.
    for number, line in enumerate(read_text(source).split("\n"), start=1):
        if line.strip():
            where = f"{source}: line {number}"
            yield where, parse_json(line, where=where)


def refuse_unsound(value: Any, *, where: str) -> None:
    """Refuse a value that is nested too deeply or has text that is not Unicode.

    Raises:
        PitfallsError: the value is refused; the line starts with `where`.
    """
    waiting = [(value, 1)]
    while waiting:
        found, depth = waiting.pop()
        if isinstance(found, str) and (fault := text_fault(found)):
            raise PitfallsError(f"{where}: a text {fault}")
        if isinstance(found, dict | list):
            if depth > DEEPEST:
                raise PitfallsError(f"{where}: is nested more than {DEEPEST} deep")
            inner = [*found, *found.values()] if isinstance(found, dict) else found
            waiting += [(each, depth + 1) for each in inner]


def _parsed(parse: Callable[[str], Any], text: str, form: str, where: str) -> Any:
    try:
        return parse(text)
    except json.JSONDecodeError as error:
        why = f"{error.msg} at line {error.lineno} column {error.colno}"
    except tomllib.TOMLDecodeError as error:
        why = str(error)
    except RecursionError:
        why = "nested too deeply"
    except ValueError:
        why = "holds a number of more than 4,300 digits"
    raise PitfallsError(f"{where}: is not valid {form}: {why}")
