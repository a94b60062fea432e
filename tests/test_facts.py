"""Facts and edits refuse texts that would break prompts."""

import pytest

from pitfalls.errors import PitfallsError
from pitfalls.facts import Edit, Relation


@pytest.mark.parametrize(
    ("prompt", "fault"),
    [
        ("The mother is", "has 0 placeholders"),
        ("{} and {} are", "has 2 placeholders"),
        ("{} {0}", "has a brace beside"),
        ("{x} {}", "has a brace beside"),
        ("{} {", "has a brace beside"),
        ("{{}} is", "has a brace beside"),
    ],
)
def test_a_prompt_that_cannot_be_filled_in_is_refused(prompt: str, fault: str) -> None:
    with pytest.raises(PitfallsError, match=fault):
        Relation("P25", "mother", prompt)
    with pytest.raises(PitfallsError, match=fault):
        Relation("P25", "mother", "The mother of {} is", paraphrases=(prompt,))
    with pytest.raises(PitfallsError, match=fault):
        Edit.of(prompt, subject="Ada", target="Anne")


def test_braces_in_names_stay_as_they_are() -> None:
    edit = Edit.of("The author of {} is", subject="{x}", target="{}")
    assert str(edit) == "The author of {x} is → {}"


@pytest.mark.parametrize("missing", ["subject", "target"])
def test_an_edit_needs_a_subject_and_a_target(missing: str) -> None:
    words = {"subject": "Ada", "target": "Anne"} | {missing: " "}
    with pytest.raises(PitfallsError, match=f"the {missing} of the edit .* is empty"):
        Edit.of("The mother of {} is", **words)


def test_the_old_object_is_asked_for_only_where_it_is_named() -> None:
    with pytest.raises(PitfallsError, match="does not name its old object"):
        _ = Edit.of("The mother of {} is", subject="Ada", target="Anne").before
