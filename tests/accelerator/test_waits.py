"""How often the host waits for an accelerator: laws, counted on the pretend one."""

from collections.abc import Sequence

import pytest
from table import tiny_editor

from pitfalls.editors.editor import Job
from pitfalls.facts import Edit
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.moments import MomentSettings
from pitfalls.models.reading.readout import Question, target_logprobs
from pitfalls.testing import EDITS, FAMILY_KINDS, pretend_device, tiny_model, to_pretend

PER_STEP = 2
PER_READING = 4

two = pytest.mark.parametrize("family", FAMILY_KINDS[:2])


@pytest.fixture(scope="module")
def models() -> dict[str, LanguageModel]:
    return {family: to_pretend(tiny_model(family)) for family in FAMILY_KINDS[:2]}


def edits_of(n: int) -> list[Edit]:
    return [EDITS[i % len(EDITS)] for i in range(n)]


def waits(model: LanguageModel, name: str, moments: MomentSettings, n: int, **settings) -> int:
    """How often the host waits while `n` edits are fitted, each a job."""
    editor = tiny_editor(name, model, moments, **settings)
    jobs = [Job((edit,)) for edit in edits_of(n)]
    editor.fit(model, jobs[:1])  # moments, and whatever else is made once
    with pretend_device().watched() as work:
        editor.fit(model, jobs)
    return work.n_waits


def steps_of(name: str, n: int) -> dict[str, object]:
    """Settings for exactly `n` steps of one batch of all jobs."""
    if name != "ft":
        return {"value": {"steps": n, "stop_loss": 0.0}, "token_budget": 100_000}
    return {"steps": n, "stop_loss": 0.0, "token_budget": 100_000}


@two
@pytest.mark.parametrize("n_edits", (1, 6))
@pytest.mark.parametrize("name", ("rome", "memit", "ft"))
def test_a_step_waits_at_most_twice_whatever_the_number_of_edits(
    name: str, n_edits: int, family: str, models: dict[str, LanguageModel], moments: MomentSettings
):
    few, many = (
        waits(models[family], name, moments, n_edits, **steps_of(name, n)) for n in (4, 12)
    )
    assert 0 < many - few <= 8 * PER_STEP


def questions(models: Sequence[object]) -> list[Question]:
    prompts = ("The capital of France is", "Zola", "Marie Curie was born in")
    targets = ("Paris and London", "Rome")
    return [Question(p, t, changes) for changes in models for p in prompts for t in targets]


@two
def test_a_batch_of_readings_waits_at_most_four_times(
    family: str, models: dict[str, LanguageModel], moments: MomentSettings
):
    model = models[family]
    editor = tiny_editor("ft", model, moments)
    updates = editor.fit(model, [Job((edit,)) for edit in edits_of(8)])
    asked = questions([update.changes for update in updates])
    with pretend_device().watched() as work:
        target_logprobs(model, asked, token_budget=100_000)
    assert 0 < work.n_waits <= PER_READING, work.waits
