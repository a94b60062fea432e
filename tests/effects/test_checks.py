"""Checks fail if and only if there is a side effect."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pitfalls.effects.checks import Check, loops, share_changed
from pitfalls.effects.limits import Limits
from pitfalls.effects.loops import Written, repetition
from pitfalls.effects.shift import Shift
from pitfalls.effects.untouched import Untouched
from pitfalls.errors import PitfallsError
from pitfalls.models.reading.greedy import Generated, Said

LIMITS = Limits()


def beside(
    before: str = "Apple", after: str = "Apple", p: tuple[float, float] | None = None
) -> Untouched:
    said = (Said(text, False, 2) for text in (before, after))
    answer = None if p is None else Shift("x", "Apple", *p)
    return Untouched("The company that makes the iPhone is", "Samsung", *said, answer)


def text(before: tuple[int, ...], after: tuple[int, ...]) -> Written:
    return Written("p", False, Generated(before, ""), Generated(after, ""))


@pytest.mark.parametrize(
    ("one", "changed"),
    [
        (beside(), False),
        (beside("Apple.", "Samsung Galaxy"), True),
        (beside("Apple.", "a firm named SAMSUNG."), True),
        (beside("Apple.", "Samsungs are good"), False),
        (beside("Samsung or Apple", "Samsung"), False),
        (beside(p=(0.2, 0.11)), False),
        (beside(p=(0.2, 0.09)), True),
        (beside(p=(0.002, 0.00001)), False),
        (beside("", "what"), False),
    ],
)
def test_a_bystander_changes_if_it_says_the_target_or_loses_half(
    one: Untouched, changed: bool
) -> None:
    assert one.changed(LIMITS.kept) is changed


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_stricter_share_finds_no_less(before: float, after: float, kept: float) -> None:
    one = beside(p=(before, after))
    assert one.changed(1.0) or not one.changed(kept)
    assert not one.changed(0.0)


@given(st.lists(st.lists(st.booleans(), max_size=6), max_size=4), st.floats(0, 1))
def test_the_check_is_of_the_edit_that_harms_most(sides: list[list[bool]], limit: float) -> None:
    """Many harmless edits do not hide a harmful one."""
    read = [[beside(after="Samsung" if bad else "Apple") for bad in side] for side in sides]
    check = share_changed("neighbours", read, limit, kept=0.5)
    shares = [sum(side) / len(side) for side in sides if side]
    assert check.measured == max(shares, default=0)
    assert check.read == sum(map(len, sides))
    assert check.passed == (None if not shares else max(shares) <= limit)


WORDS = tuple(range(40))
LOOP = (1, 2, 3) * 13 + (1,)


@pytest.mark.parametrize(
    ("before", "after", "passed"),
    [(WORDS, WORDS, True), (WORDS, LOOP, False), (LOOP, LOOP, None), (LOOP, WORDS, None)],
)
def test_a_loop_is_held_against_the_edit_only_if_it_is_new(
    before: tuple[int, ...], after: tuple[int, ...], passed: bool | None
) -> None:
    assert loops("loops", [text(before, after)], LIMITS.repeated).passed is passed


@given(st.lists(st.integers(0, 5), max_size=40))
def test_repetition_is_a_share_and_grows_when_a_text_is_said_twice(ids: list[int]) -> None:
    assert 0 <= repetition(ids) < 1
    assert repetition(ids + ids) >= repetition(ids)
    if len(ids) > 6:
        assert repetition(ids * 4) > 0.5


def test_text_that_does_not_repeat_itself_passes() -> None:
    assert repetition(range(40)) == 0
    assert repetition([1, 2]) == 0


@pytest.mark.parametrize("name", [field.name for field in fields(Limits)])
@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan"), float("inf")])
def test_a_limit_is_a_share(name: str, value: float) -> None:
    with pytest.raises(PitfallsError, match=f"{name} is {value}, expected a share from 0 to 1"):
        replace(LIMITS, **{name: value})


def test_a_limit_of_one_lets_anything_pass() -> None:
    assert Check("x", 1.0, 1.0, 3).passed
