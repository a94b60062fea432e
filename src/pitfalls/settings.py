"""Settings: ranges as types, and the base class of settings dataclasses.

A setting is out of range if no run could use it: a count of 0, NaN, a negative length. Whether a
value is sensible, or fits a model, is checked elsewhere.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Annotated, Any, TypeAlias, get_args, get_type_hints

from pydantic import (
    Field,
    PydanticSchemaGenerationError,
    Strict,
    TypeAdapter,
    ValidationError,
)

from pitfalls.door.text import shortened
from pitfalls.errors import PitfallsError, UnknownNameError

LARGEST_SEED = 2**32 - 1
"""Largest seed that every random number generator accepts."""
LARGEST_COUNT = 2**63 - 1

Check: TypeAlias = Callable[[Any], Any]
"""Function that validates a value for a type; raises pydantic's error."""

Count: TypeAlias = Annotated[int, Strict(), Field(ge=1, le=LARGEST_COUNT)]
"""Number of things, at least one."""
Index: TypeAlias = Annotated[int, Strict(), Field(ge=0, le=LARGEST_COUNT)]
"""Position in a sequence such as the layers, from 0; or a number of things that may be 0."""
Seed: TypeAlias = Annotated[int, Strict(), Field(ge=0, le=LARGEST_SEED)]
"""Seed of a random number generator."""
Positive: TypeAlias = Annotated[float, Strict(), Field(gt=0, allow_inf_nan=False)]
"""A finite number above 0."""
NonNegative: TypeAlias = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]
"""A finite number, at least 0."""
Fraction: TypeAlias = Annotated[float, Strict(), Field(ge=0, le=1)]
"""A share from 0 to 1."""
StepSize: TypeAlias = Annotated[float, Strict(), Field(ge=-1, le=1)]
"""Size of a gradient step, in either direction."""


class Settings:
    """Base of dataclasses that check their fields' types and ranges on creation."""

    __slots__ = ()

    def __post_init__(self) -> None:
        """Check every field.

        Raises:
            PitfallsError: a value is of another type, or out of range.
        """
        kind: Any = type(self)
        for name, check in _checks(kind).items():
            _validated(check, getattr(self, name), name)


def checked(kind: Any, value: Any, *, where: str) -> Any:
    """Validate `value` as the type `kind`.

    Args:
        kind: a type that pydantic can check, such as one of the above or a dataclass.
        value: the value, from any source.
        where: name of the value, at the start of the error line.

    Raises:
        PitfallsError: it is of another type, or out of range.
    """
    return _validated(TypeAdapter(kind).validate_python, value, where)


def check_some(kind: Any, values: Mapping[str, Any], *, name: str) -> None:
    """Check values for some of the fields of the dataclass `kind`.

    Args:
        kind: a dataclass; its fields may be dataclasses themselves.
        values: field → value, nested like the fields.
        name: name of the settings.

    Raises:
        UnknownNameError: no such field.
        PitfallsError: a value is of another type, or out of range.
    """
    refuse_unknown(kind, values, name=name)
    for field, check in _checks(kind).items():
        if field in values:
            _validated(check, values[field], f"{name}.{field}")


def refuse_unknown(kind: Any, values: Mapping[str, Any], *, name: str) -> None:
    """Refuse names that are not fields of the dataclass `kind`, at any depth.

    Raises:
        UnknownNameError: no such field; the message suggests the nearest.
    """
    hints = get_type_hints(kind)
    known = {field.name: hints[field.name] for field in fields(kind)}
    for key, value in values.items():
        if key not in known:
            raise UnknownNameError(f"setting of {name}", key, known)
        inner = _dataclass_in(known[key])
        if inner is not None and isinstance(value, Mapping):
            refuse_unknown(inner, value, name=f"{name}: {key}")


def told(error: ValidationError, where: str = "") -> str:
    """First error of pydantic as one line that starts with the name of the value."""
    first = error.errors(include_url=False)[0]
    name = ".".join(str(key) for key in (where, *first["loc"]) if key != "")
    came, why = shortened(repr(first["input"])), first["msg"]
    return f"{name}: got {came}; {why[0].lower()}{why[1:]}"


def _validated(check: Check, value: Any, where: str) -> Any:
    try:
        return check(value)
    except ValidationError as error:
        raise PitfallsError(told(error, where)) from error


def _dataclass_in(annotation: Any) -> type | None:
    """Dataclass in `X` or `X | None`; None if there is none."""
    options = get_args(annotation) or (annotation,)
    return next((o for o in options if isinstance(o, type) and is_dataclass(o)), None)


@cache
def _checks(kind: Any) -> dict[str, Check]:
    """Field → its check; fields of types unknown to pydantic have none."""
    hints = get_type_hints(kind, include_extras=True)
    checks = dict[str, Check]()
    for field in fields(kind):
        with suppress(PydanticSchemaGenerationError):
            checks[field.name] = TypeAdapter(hints[field.name]).validate_python
    return checks
