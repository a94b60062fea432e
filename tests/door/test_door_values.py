"""Parsed values are sound, and refused ones give one line."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pitfalls.door.text import decoded, read_text, text_fault
from pitfalls.door.values import DEEPEST, parse_json, parse_toml, read_json_lines
from pitfalls.errors import PitfallsError

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
pieces = st.sampled_from(["[", "{", '"a":', "]", "}", ",", "1", '"\\ud800"', "9" * 4400, " ", "\n"])
PARSERS: dict[str, Callable[..., Any]] = {"JSON": parse_json, "TOML": parse_toml}


@settings(max_examples=200, deadline=None)
@given(st.lists(pieces, max_size=30).map("".join) | st.text(max_size=40))
@pytest.mark.parametrize("form", PARSERS)
def test_any_text_is_a_sound_value_or_refused_in_one_line(form: str, text: str) -> None:
    try:
        found = PARSERS[form](text, where="here")
    except PitfallsError as error:
        assert str(error).startswith("here: ") and "\n" not in str(error)
    else:
        json.dumps(found, ensure_ascii=False, default=str).encode()


@settings(max_examples=50, deadline=None)
@given(json_values)
def test_what_was_written_as_json_comes_back(value: Any) -> None:
    assert parse_json(json.dumps(value), where="here") == value


@given(st.binary(max_size=40))
def test_any_bytes_are_text_or_refused(content: bytes) -> None:
    try:
        assert text_fault(decoded(content, where="here")) is None
    except PitfallsError as error:
        assert str(error).startswith("here: is not UTF-8 text")


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[" * 50_000, "nested too deeply"),
        (nested(DEEPEST + 1), "is nested more than 100 deep"),
        ("9" * 4301, "more than 4,300 digits"),
        ('{"a": "\\ud83d"}', "is not Unicode text"),
        ('{"\\udc00": 1}', "is not Unicode text"),
        ("{", "is not valid JSON: Expecting property name"),
    ],
)
def test_what_no_value_should_be_is_named(text: str, told: str) -> None:
    with pytest.raises(PitfallsError, match=told):
        parse_json(text, where="here")


def test_what_is_odd_but_sound_passes() -> None:
    assert parse_json('"\\ud83d\\ude00"', where="here") == "😀"
    assert parse_json(nested(DEEPEST), where="here") == json.loads(nested(DEEPEST))
    assert parse_json("9" * 4300, where="here") == 10**4300 - 1


def test_dotted_keys_cannot_nest_without_end() -> None:
    text = ".".join(["a"] * 300) + " = 1"
    assert tomllib.loads(text)
    with pytest.raises(PitfallsError, match="is nested more than 100 deep"):
        parse_toml(text, where="here")


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"a": 1}\n\n{"a": "\u2028"}\n', "utf-8-sig")
    assert not read_text(file).startswith("\ufeff")
    rows = list(read_json_lines(file))
    assert rows == [(f"{file}: line 1", {"a": 1}), (f"{file}: line 3", {"a": "\u2028"})]
