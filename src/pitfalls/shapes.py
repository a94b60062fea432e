"""JSON shapes shared by several file formats, and one-line errors for data that do not match.

Files of cases, edits and stacks consist of these parts. A shape checks the data of a file and gives
plain values, such as those of `pitfalls.facts`, so that the rest of the package needs no pydantic.
"""

from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from pitfalls.door.text import shortened, text_fault
from pitfalls.door.values import parse_json
from pitfalls.errors import PitfallsError
from pitfalls.facts import Entity, template_fault

_Model = TypeVar("_Model", bound=BaseModel)


def _name(text: str) -> str:
    if fault := text_fault(text) or (None if text.strip() else "is empty, expected a name"):
        raise ValueError(fault)
    return text


def _template(text: str) -> str:
    if fault := template_fault(text):
        raise ValueError(fault)
    return text


Name = Annotated[str, AfterValidator(_name)]
"""Text with at least one character that is not blank."""
Template = Annotated[str, AfterValidator(_template)]


class Shape(BaseModel):
    """A JSON object with exactly the known fields, without type conversion."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class EntityShape(Shape):
    """`{"id": "Q42", "label": "Douglas Adams"}`."""

    id: Name
    label: Name

    def value(self) -> Entity:
        """The entity."""
        return Entity(self.id, self.label)


def check(shape: type[_Model], data: Any, *, where: str) -> _Model:
    """Validate `data` against a shape.

    Raises:
        PitfallsError: it does not match; the line starts with `where` and names the field.
    """
    try:
        return shape.model_validate(data, strict=True)
    except ValidationError as error:
        raise PitfallsError(f"{where}: {_first_problem(error)}") from None


def check_json(shape: type[_Model], text: str, *, where: str) -> _Model:
    """Validate a JSON text, in which lists may stand for tuples and objects for dataclasses.

    Raises:
        PitfallsError: it is not JSON or does not match; the line starts with `where`.
    """
    parse_json(text, where=where)  # refuses unsound values, which pydantic would accept
    try:
        return shape.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise PitfallsError(f"{where}: {_first_problem(error)}") from None


def check_version(data: Any, key: str, *readable: int, where: str, advice: str) -> None:
    """Refuse a file of another format version.

    Raises:
        PitfallsError: the version is missing or another; true and 1.0 do not count as 1.
    """
    version = data.get(key) if isinstance(data, dict) else None
    if type(version) is not int or version not in readable:
        came, expected = shortened(repr(version)), " or ".join(map(str, readable))
        raise PitfallsError(f"{where}: {key}: is {came}, expected {expected}; {advice}")


def _first_problem(error: ValidationError) -> str:
    first, *others = error.errors(include_url=False)
    field = _path(first["loc"])
    more = f" (and {len(others)} more)" if others else ""
    return f"{field + ': ' if field else ''}{_say(first['type'], first)}{more}"


def _path(location: tuple[int | str, ...]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).removeprefix(".")


def _say(kind: str, problem: Any) -> str:
    """Description of a pydantic error in this package's words."""
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return "is not a field of this format, remove it"
    if kind == "value_error":
        return str(problem["ctx"]["error"])
    if kind in ("too_short", "too_long"):
        bounds = problem["ctx"]
        bound = bounds["min_length" if kind == "too_short" else "max_length"]
        return f"has {bounds['actual_length']}, expected {bound}"
    expected = problem["msg"][0].lower() + problem["msg"][1:]
    came = shortened(repr(problem["input"]))
    return f"{expected.replace('input should', 'should')}, got {came}"
