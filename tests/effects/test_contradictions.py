"""Contradictory edits are refused, and no others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pitfalls.effects.contradictions import contradict, overwriting, refuse_contradictions
from pitfalls.errors import PitfallsError
from pitfalls.updates.request import Request

PROMPTS = ("The capital of {} is", "{} has the capital", "{} speaks")


def ask(subject: str, target: str, prompt: str = PROMPTS[0], *more: str) -> Request:
    return Request(prompt=prompt, subject=subject, target=target, paraphrases=more)


SYDNEY = ask("Australia", "Sydney")


@pytest.mark.parametrize(
    ("other", "against"),
    [
        (ask("Australia", "Melbourne"), True),
        (ask("australia", "Melbourne", "the  capital of {} is"), True),
        (ask("Australia", "Melbourne", PROMPTS[1], PROMPTS[0]), True),
        (ask("Australia", "sydney"), False),
        (ask("Austria", "Melbourne"), False),
        (ask("Australia", "English", PROMPTS[2]), False),
        (ask("Australia", "Melbourne", PROMPTS[1]), False),
    ],
)
def test_what_contradicts(other: Request, against: bool) -> None:
    assert contradict(SYDNEY, other) is contradict(other, SYDNEY) is against
    assert overwriting(SYDNEY, [other]) == (other if against else None)
    if against:
        with pytest.raises(PitfallsError, match=r"^f: edits 1 and 2 contradict each other") as told:
            refuse_contradictions([SYDNEY, other], where="f")
        assert str(SYDNEY) in str(told.value) and str(other) in str(told.value)
    else:
        refuse_contradictions([SYDNEY, other], where="f")


words = st.tuples(
    st.sampled_from("AB"),
    st.sampled_from("xy"),
    st.sampled_from(PROMPTS),
    st.lists(st.sampled_from(PROMPTS), max_size=2),
)


@given(st.lists(words, max_size=7))
def test_a_file_is_refused_exactly_if_two_of_its_edits_contradict(
    lines: list[tuple[str, str, str, list[str]]],
) -> None:
    asked = [ask(subject, target, prompt, *more) for subject, target, prompt, more in lines]
    pairs = [
        (i + 1, j + 1)
        for j, later in enumerate(asked)
        for i, one in enumerate(asked[:j])
        if contradict(one, later)
    ]
    if not pairs:
        refuse_contradictions(asked, where="f")
        return
    with pytest.raises(PitfallsError) as told:
        refuse_contradictions(asked, where="f")
    assert any(f"edits {i} and {j} contradict" in str(told.value) for i, j in pairs)


def test_the_last_edit_overwrites() -> None:
    later = [ask("Australia", "Perth"), ask("Austria", "Graz"), ask("Australia", "Darwin")]
    assert overwriting(SYDNEY, later) == later[2]
    assert overwriting(later[2], []) is None
