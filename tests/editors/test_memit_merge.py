"""MEMIT-Merge: one key and one value for each subject of a job."""

from collections.abc import Sequence

import pytest
from table import tiny_editor

from pitfalls.editors.editor import Job
from pitfalls.editors.table import editor_for
from pitfalls.errors import PitfallsError
from pitfalls.facts import Edit
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.moments import MomentSettings
from pitfalls.models.reading.readout import target_logprobs
from pitfalls.testing import EDITS, FAMILY_KINDS, LONG, distance
from pitfalls.updates.update import Update

pytestmark = pytest.mark.families(FAMILY_KINDS[:2])

ONE_SUBJECT = tuple(
    Edit.of(prompt, subject="Marie Curie", target=target)
    for prompt, target in (
        ("{} was born in", "Vienna"),
        ("{} is a citizen of", "Japan"),
        ("{} died in", "Paris"),
        ("The doctor of {} is", "Zola"),
    )
)


def fitted(name: str, model: LanguageModel, moments: MomentSettings, *edits: Edit) -> Update:
    value = {"steps": 100, "clamp": 8.0, "lr": 0.3}
    editor = tiny_editor(name, model, moments, value=value, moment_weight=1e-4)
    (update,) = editor.fit(model, [Job(edits)])
    return update


def likelihood(model: LanguageModel, update: Update, edits: Sequence[Edit]) -> float:
    """Mean over the edits: no single value can make all of a random network's answers likely."""
    asked = [
        update.question(e.relation.prompt.format(e.subject.label), e.new_object.label)
        for e in edits
    ]
    answers = target_logprobs(model, asked)
    return sum(answer.mean().item() for answer in answers) / len(edits)


@pytest.mark.families(FAMILY_KINDS)
def test_facts_of_one_subject_become_more_likely_than_by_memit(
    model: LanguageModel, moments: MomentSettings
) -> None:
    edits = ONE_SUBJECT[:3]
    before, by_memit, merged = (
        likelihood(model, update, edits)
        for update in (
            Update(),
            fitted("memit", model, moments, *edits),
            fitted("memit-merge", model, moments, *edits),
        )
    )
    assert merged > by_memit
    assert merged > before


def test_it_is_memit_where_subjects_differ(model: LanguageModel, moments: MomentSettings) -> None:
    edits = (*EDITS, LONG)
    merged = fitted("memit-merge", model, moments, *edits)
    assert distance(merged, fitted("memit", model, moments, *edits)) == 0.0


def test_one_value_for_each_subject_wherever_its_edits_stand(
    model: LanguageModel, moments: MomentSettings
) -> None:
    first, second, *_ = ONE_SUBJECT
    apart = fitted("memit-merge", model, moments, first, EDITS[0], second)
    together = fitted("memit-merge", model, moments, first, second, EDITS[0])
    assert {change.low_rank(None).A.shape[0] for change in apart.changes.values()} == {2}
    assert distance(apart, together) <= 1e-4


def test_prompts_with_other_keys_share_their_mean(
    model: LanguageModel, moments: MomentSettings
) -> None:
    edits = (ONE_SUBJECT[0], ONE_SUBJECT[3])
    update = fitted("memit-merge", model, moments, *edits)
    assert likelihood(model, update, edits) > likelihood(model, Update(), edits)
    (first,) = tiny_editor("memit-merge", model, moments).fit(model, [Job(edits)])
    (other,) = tiny_editor("memit-merge", model, moments).fit(model, [Job(edits[::-1])])
    assert distance(first, other) <= 1e-3  # neither is the first among them
    assert {change.low_rank(None).A.shape[0] for change in first.changes.values()} == {1}


def test_a_joint_value_by_another_objective_is_refused(model: LanguageModel) -> None:
    with pytest.raises(PitfallsError, match=r"memit-merge\.multi_label: got 'joint'"):
        editor_for("memit-merge", model, {"multi_label": "joint"})
