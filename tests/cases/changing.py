"""Breaking one thing in a piece of JSON."""

from typing import Any

GONE = object()
"""In the place of a value: take the field away."""


def change(data: Any, path: str, value: Any) -> None:
    """Set what `path` leads to, e.g. `edits.0.subject.id`, or take it away."""
    *way, last = (int(part) if part.isdigit() else part for part in path.split("."))
    for part in way:
        data = data[part]
    if value is GONE:
        del data[last]
    else:
        data[last] = value
