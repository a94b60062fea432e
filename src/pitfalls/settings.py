"""Settings: their ranges as types, and the base of the dataclasses that are made of them.

A setting is out of range where no run could make sense of it: what cannot be counted, no number at
all, a negative length. Whether a value is wise, and whether it fits a model, is told elsewhere.
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
"""Every generator of random numbers takes seeds up to here."""
LARGEST_COUNT = 2**63 - 1

Check: TypeAlias = Callable[[Any], Any]
"""From a value to what a type makes of it; raises pydantic's error where it is none."""

Count: TypeAlias = Annotated[int, Strict(), Field(ge=1, le=LARGEST_COUNT)]
"""How many, at least one."""
Index: TypeAlias = Annotated[int, Strict(), Field(ge=0, le=LARGEST_COUNT)]
"""A place in a row such as that of layers, counted from 0, or how many of what may be missing."""
Seed: TypeAlias = Annotated[int, Strict(), Field(ge=0, le=LARGEST_SEED)]
"""Of random numbers."""
Positive: TypeAlias = Annotated[float, Strict(), Field(gt=0, allow_inf_nan=False)]
"""A finite number above 0."""
NonNegative: TypeAlias = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]
"""A finite number from 0 on."""
Fraction: TypeAlias = Annotated[float, Strict(), Field(ge=0, le=1)]
"""A part of a whole."""
StepSize: TypeAlias = Annotated[float, Strict(), Field(ge=-1, le=1)]
"""Of a step by a gradient, in either direction."""


class Settings:
    """The base of dataclasses that refuse values outside of their fields' types when made."""

    __slots__ = ()

    def __post_init__(self) -> None:
        """Hold every field to its type.

        Raises:
            PitfallsError: a value is of another type, or out of range.
        """
        kind: Any = type(self)
        for name, check in _checks(kind).items():
            _validated(check, getattr(self, name), name)


def checked(kind: Any, value: Any, *, where: str) -> Any:
    """`value` as the type `kind` has it.

    Args:
        kind: a type that pydantic knows how to check, such as one of the above or a dataclass.
        value: from a file, the command line or anywhere.
        where: what the value is called; the line begins with it.

    Raises:
        PitfallsError: it is of another type, or out of range.
    """
    return _validated(TypeAdapter(kind).validate_python, value, where)


def check_some(kind: Any, values: Mapping[str, Any], *, name: str) -> None:
    """Hold some of the fields of the dataclass `kind` to their types, the others left out.

    Args:
        kind: a dataclass; its fields may be such themselves.
        values: field → value, nested like the fields.
        name: what the settings are called.

    Raises:
        UnknownNameError: no such field.
        PitfallsError: a value is of another type, or out of range.
    """
    refuse_unknown(kind, values, name=name)
    for field, check in _checks(kind).items():
        if field in values:
            _validated(check, values[field], f"{name}.{field}")


def refuse_unknown(kind: Any, values: Mapping[str, Any], *, name: str) -> None:
    """Refuse values of what is no field of the dataclass `kind`, at any depth.

    Raises:
        UnknownNameError: no such field; the nearest is named.
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
    """The first of pydantic's complaints in one line that begins with the name of the value."""
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
    """The dataclass in `X` or `X | None`."""
    options = get_args(annotation) or (annotation,)
    return next((o for o in options if isinstance(o, type) and is_dataclass(o)), None)


@cache
def _checks(kind: Any) -> dict[str, Check]:
    """Field → what checks it; nothing checks a type that pydantic does not know."""
    hints = get_type_hints(kind, include_extras=True)
    checks = dict[str, Check]()
    for field in fields(kind):
        with suppress(PydanticSchemaGenerationError):
            checks[field.name] = TypeAdapter(hints[field.name]).validate_python
    return checks
