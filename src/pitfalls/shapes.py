"""What the parts of a file look like in JSON, and how a bad one is told in one line.

Files of cases, edits and stacks are made of these parts. Pydantic stays behind this door: a shape
checks what came from a file and turns into plain values such as those of `pitfalls.facts`.
"""

from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from pitfalls.errors import PitfallsError
from pitfalls.facts import Entity, template_fault

_Model = TypeVar("_Model", bound=BaseModel)
_SHOWN = 60
"""Characters of a refused value that are worth repeating."""


def _template(text: str) -> str:
    if fault := template_fault(text):
        raise ValueError(fault)
    return text


Name = Annotated[str, Field(pattern=r"\S")]
"""Anything but blanks."""
Template = Annotated[str, AfterValidator(_template)]


class Shape(BaseModel):
    """A JSON object of known fields: nothing missing, nothing more, nothing converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class EntityShape(Shape):
    """`{"id": "Q42", "label": "Douglas Adams"}`."""

    id: Name
    label: Name

    def value(self) -> Entity:
        """The same as an entity."""
        return Entity(self.id, self.label)


def check(shape: type[_Model], data: Any, *, where: str) -> _Model:
    """`data` in the shape that is expected of it.

    Raises:
        PitfallsError: it is something else; the line starts with `where` and names the field.
    """
    try:
        return shape.model_validate(data, strict=True)
    except ValidationError as error:
        raise PitfallsError(f"{where}: {_first_problem(error)}") from None


def _first_problem(error: ValidationError) -> str:
    first, *others = error.errors(include_url=False)
    field = _path(first["loc"])
    more = f" (and {len(others)} more)" if others else ""
    return f"{field + ': ' if field else ''}{_say(first['type'], first)}{more}"


def _path(location: tuple[int | str, ...]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).removeprefix(".")


def _say(kind: str, problem: Any) -> str:
    """One problem of pydantic's in this package's words."""
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return "is not a field of this format, remove it"
    if kind == "string_pattern_mismatch":
        return "is empty, expected a name"
    if kind == "value_error":
        return str(problem["ctx"]["error"])
    if kind in ("too_short", "too_long"):
        bounds = problem["ctx"]
        bound = bounds["min_length" if kind == "too_short" else "max_length"]
        return f"has {bounds['actual_length']}, expected {bound}"
    expected = problem["msg"][0].lower() + problem["msg"][1:]
    came = repr(problem["input"])
    shown = came if len(came) <= _SHOWN else came[:_SHOWN] + "…"
    return f"{expected.replace('input should', 'should')}, got {shown}"
