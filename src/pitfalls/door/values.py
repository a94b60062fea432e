"""JSON and TOML → values that everything behind the door can take."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator
from typing import Any

from pitfalls.door.text import Source, read_text, text_fault
from pitfalls.errors import PitfallsError

DEEPEST = 100
"""Lists and objects inside each other. Nothing that is read has ten."""
_ESCAPED_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def parse_json(text: str, *, where: str) -> Any:
    """The value that `text` spells.

    Raises:
        PitfallsError: it is not JSON, or no sound value; the line starts with `where`.
    """
    found = _parsed(json.loads, text, "JSON", where)
    # A walk takes as long as the parsing; most texts show at a glance that they need none.
    if text.count("[") + text.count("{") > DEEPEST or _ESCAPED_HALF.search(text):
        refuse_unsound(found, where=where)
    return found


def parse_toml(text: str, *, where: str) -> dict[str, Any]:
    """The table that `text` spells.

    Raises:
        PitfallsError: it is not TOML, or no sound value; the line starts with `where`.
    """
    found: dict[str, Any] = _parsed(tomllib.loads, text, "TOML", where)
    refuse_unsound(found, where=where)
    return found


def read_json(source: Source) -> Any:
    """The value in a file.

    Raises:
        PitfallsError: as `read_text` and `parse_json`.
    """
    return parse_json(read_text(source), where=str(source))


def read_toml(source: Source) -> dict[str, Any]:
    """The table in a file.

    Raises:
        PitfallsError: as `read_text` and `parse_toml`.
    """
    return parse_toml(read_text(source), where=str(source))


def read_json_lines(source: Source) -> Iterator[tuple[str, Any]]:
    """The values in a file that has one a line, each with its place; blank lines are passed over.

    Raises:
        PitfallsError: as `read_text` and `parse_json`, with the number of the line.
    """
    # Only "\n" ends a line: texts may hold other characters that `splitlines` would cut at.
    for number, line in enumerate(read_text(source).split("\n"), start=1):
        if line.strip():
            where = f"{source}: line {number}"
            yield where, parse_json(line, where=where)


def refuse_unsound(value: Any, *, where: str) -> None:
    """Refuse what is nested too deeply, or holds text that is not Unicode.

    Raises:
        PitfallsError: it does; the line starts with `where`.
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
