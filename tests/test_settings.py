"""Every setting has a range in its type, and values outside are refused wherever they are made."""

import math
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from pitfalls.bench.experiment import Experiment
from pitfalls.cases.order import Order
from pitfalls.editors.mend.training import MendTraining
from pitfalls.editors.table import EDITORS, check_settings
from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.locate.outcome import Tracing
from pitfalls.models.reading.moments import MomentSettings
from pitfalls.rules.limits import Limits
from pitfalls.settings import LARGEST_SEED, Settings

KINDS: tuple[Any, ...] = (
    *dict.fromkeys(EDITORS.values()),
    MendTraining,
    MomentSettings,
    Tracing,
    Limits,
    Order,
    Experiment,
)
ODD = (math.nan, math.inf, -math.inf, True, False, "1")
"""Values that are not valid numbers."""
FAR = (-(10**30), -2.5, -1, 0, 2, 1e300, 10**30)
"""Numbers, some of which every setting refuses."""


def hints(kind: Any) -> dict[str, Any]:
    """Field → type."""
    if issubclass(kind, BaseModel):
        return get_type_hints(kind, include_extras=True)
    return {f.name: get_type_hints(kind, include_extras=True)[f.name] for f in fields(kind)}


def numbers_in(hint: Any) -> Iterator[Any]:
    """Number types in a type, with their ranges if they have any."""
    bare = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    if bare in (int, float):
        yield hint
    elif get_origin(hint) in (Annotated, Union, UnionType, tuple, list):
        for inner in get_args(hint):
            yield from numbers_in(inner)
    elif isinstance(hint, type) and is_dataclass(hint) and issubclass(hint, Settings):
        yield from (number for _, number in numeric_fields(hint))


def numeric_fields(kind: Any) -> list[tuple[str, Any]]:
    return [
        (f"{kind.__name__}.{name}", number)
        for name, hint in hints(kind).items()
        if name != "model_config"
        for number in numbers_in(hint)
    ]


FIELDS = [pair for kind in KINDS for pair in numeric_fields(kind)]


def refuses(hint: Any, value: Any) -> bool:
    try:
        TypeAdapter(hint).validate_python(value)
    except ValidationError:
        return True
    return False


def test_the_law_sees_the_settings():
    names = {name for name, _ in FIELDS}
    assert {"FineTune.lr", "Rome.value", "Rome.contexts", "Rome.moments", "Limits.seconds"} <= names
    assert {"Memit.layers", "Experiment.cases", "MendTraining.edit_lr", "Order.count"} <= names
    assert list(numbers_in(int | None)) == [int]


@pytest.mark.parametrize(("name", "hint"), FIELDS)
def test_every_number_has_a_range(name: str, hint: Any):
    assert all(refuses(hint, value) for value in ODD), name
    assert any(refuses(hint, value) for value in FAR), name
    fitting = [value for value in (1, 0.5) if not refuses(hint, value)]
    assert fitting, f"{name} refuses everything"


def test_every_dataclass_of_settings_checks_itself():
    for kind in KINDS:
        assert issubclass(kind, Settings | BaseModel), kind


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: MomentSettings(max_tokens=0), "max_tokens: got 0; input should be greater than"),
        (lambda: Tracing(noise=math.nan), "noise: got nan; input should be a finite number"),
        (lambda: Limits(pca_confidence=2.0), "pca_confidence: got 2.0; input should be less than"),
        (lambda: Limits(seconds=-1.0), "seconds: got -1.0"),
        (lambda: Order(kind="reverse", count=0), "count: got 0"),
        (lambda: EDITORS["ft"](layer=1, steps=-1), "steps: got -1"),  # type: ignore[call-arg]
        (lambda: Tracing(seed=LARGEST_SEED + 1), "seed: got 4294967296"),
    ],
)
def test_what_is_made_in_python_is_checked(make: Any, told: str):
    with pytest.raises(PitfallsError) as error:
        make()
    assert str(error.value).startswith(told)


WRONG: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("ft", {"steps": -1}, "ft.steps: got -1"),
    ("ft", {"lr": -1}, "ft.lr: got -1"),
    ("ft", {"norm": -1}, "ft.norm: got -1"),
    ("ft", {"layer": True}, "ft.layer: got True; input should be a valid integer"),
    ("ft", {"depth": math.inf}, "ft.depth: got inf"),
    ("memit", {"depths": [0, 2]}, "memit.depths: got 2"),
    ("memit", {"depths": [0.9, "x"]}, "memit.depths: got 'x'"),
    ("memit", {"moment_weight": 0}, "memit.moment_weight: got 0"),
    ("memit", {"value": {"clamp": -1}}, "memit.value.clamp: got -1"),
    ("rome", {"token_budget": 0}, "rome.token_budget: got 0"),
    ("rome", {"value": {"steps": -1}}, "rome.value.steps: got -1"),
    ("rome", {"moments": {"max_tokens": -5}}, "rome.moments.max_tokens: got -5"),
    ("rome", {"contexts": {"words": []}}, "rome.contexts.words: got []"),
    ("rome", {"contexts": {"lengths": [[5, 0]]}}, "rome.contexts.lengths.0.1: got 0"),
)


@pytest.mark.parametrize(("editor", "settings", "told"), WRONG)
def test_senseless_settings_are_refused_without_a_model(
    editor: str, settings: dict[str, Any], told: str
):
    with pytest.raises(PitfallsError) as error:
        check_settings(editor, settings)
    assert str(error.value).startswith(told)
    assert "\n" not in str(error.value)


def test_a_setting_that_there_is_not_is_refused_without_a_model():
    with pytest.raises(UnknownNameError, match="setting of rome: value 'stpes': did you mean"):
        check_settings("rome", {"value": {"stpes": 3}})
    with pytest.raises(UnknownNameError, match="did you mean 'rome'"):
        check_settings("rom", {})
    check_settings("rome", {"depth": 0.5, "value": {"steps": 3}})
