"""Settings of editors on the command line: `--set rome.layer=5`."""

import tomllib
from collections.abc import Iterable, Sequence
from typing import Any

from pitfalls.door.values import refuse_unsound
from pitfalls.errors import PitfallsError, UnknownNameError


def parse_settings(words: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Nested settings from `EDITOR.SETTING=VALUE`; a value is written as in TOML, or plain text.

    >>> parse_settings(["rome.layer=5", "rome.value.lr=0.1", "rome.moments.corpus=text.txt"])
    {'rome': {'layer': 5, 'value': {'lr': 0.1}, 'moments': {'corpus': 'text.txt'}}}

    Raises:
        PitfallsError: a word of another form, or two that contradict each other.
    """
    settings: dict[str, dict[str, Any]] = {}
    for word in words:
        path, equals, text = word.partition("=")
        *tables, key = path.split(".")
        if not (equals and tables and all(tables) and key):
            raise PitfallsError(f"--set {word}: expected EDITOR.SETTING=VALUE, like rome.layer=5")
        table: Any = settings
        for name in tables:
            table = table.setdefault(name, {})
            if not isinstance(table, dict):
                raise PitfallsError(f"--set {word}: another --set gives {name} a plain value")
        if isinstance(table.get(key), dict):
            raise PitfallsError(f"--set {word}: another --set gives {key} settings of its own")
        table[key] = _value(text)
    refuse_unsound(settings, where="--set")
    return settings


def refuse_idle(words: Sequence[str], used: Iterable[str]) -> None:
    """Refuse settings of editors that do not run: they would change nothing, unnoticed.

    Raises:
        UnknownNameError: a word names an editor that is not among those used.
    """
    known = set(used)
    for word in words:
        if (name := word.partition(".")[0]) not in known:
            raise UnknownNameError("editor of this run in --set", name, known)


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text
