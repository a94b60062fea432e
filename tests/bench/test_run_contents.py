"""A run holds every reading and every fit that its plans ask for, and what it was made with."""

import math
from pathlib import Path

import pytest
from engine_runs import CASES, by_case, plan_of

from pitfalls.bench.engine import run
from pitfalls.bench.experiment import Experiment
from pitfalls.cases.collections import load_cases
from pitfalls.editors.editor import Job
from pitfalls.editors.names import EditorName
from pitfalls.editors.table import editor_for
from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.readout import Question, plain_target_logprobs
from pitfalls.records.record import Reading
from pitfalls.records.run_directory import RunDirectory
from pitfalls.updates.update import Update
from pitfalls.vocabulary import DATASETS, ROUND_KINDS


def test_every_planned_reading_is_there(experiment: Experiment, whole: RunDirectory):
    found = by_case(whole)
    expected = [
        (data, editor, case)
        for data, kind in DATASETS.items()
        for case in load_cases(data, CASES)
        for editor in experiment.editors
        if kind in ROUND_KINDS or not editor.endswith("+mle")
    ]
    assert found.keys() == {(data, editor, case.id) for data, editor, case in expected}
    for data, editor, case in expected:
        record = found[data, editor, case.id]
        steps = plan_of(record, case)
        assert record.failure is None
        assert record.kind == case.kind
        wanted = [(state, probe) for state in steps.states for probe in steps.probes[state]]
        read = {(reading.state, reading.probe): reading for reading in record.readings}
        assert len(read) == len(record.readings) == len(wanted)
        for state, probe in wanted:
            reading = read[state, probe.name]
            assert reading.target == probe.target
            assert len(reading.logprobs) == len(probe.prompts)
            assert all(math.isfinite(x) and x <= 0 for row in reading.logprobs for x in row)
            assert all(row for row in reading.logprobs)


def test_every_edited_state_has_its_fit(whole: RunDirectory):
    cases = {data: load_cases(data, CASES) for data in DATASETS}
    for record in whole.records():
        (case,) = (c for c in cases[record.data] if c.id == record.case_id)
        edited = {name: steps for name, steps in plan_of(record, case).states.items() if steps}
        fits = {fit.state: fit for fit in record.fits}
        assert fits.keys() == edited.keys()
        for state, fit in fits.items():
            assert fit.losses
            assert fit.norms
            assert all(norm > 0 for norm in fit.norms.values())
            assert fit.seconds > 0
            searches = len(edited[state][-1]) if record.editor.startswith("rome") else 1
            assert len(fit.losses) <= 4 * searches


def test_the_unedited_model_is_the_same_under_every_editor(whole: RunDirectory):
    before: dict[tuple[str, str], list[Reading]] = {}
    for record in whole.records():
        read = [reading for reading in record.readings if reading.state == "theta0"]
        assert read
        assert before.setdefault((record.data, record.case_id), read) == read


def test_edits_move_what_they_edit(whole: RunDirectory):
    for record in whole.records():
        read = {(reading.state, reading.probe): reading.logprobs for reading in record.readings}
        name = "intermediate" if record.kind in ROUND_KINDS else "old"
        assert read["theta_m", name] != read["theta0", name]
        assert read["theta_prime", name] != read["theta_m", name]


@pytest.mark.parametrize("editor", ["ft", "rome", "rome+mle"])
@pytest.mark.parametrize("data", DATASETS)
def test_a_record_is_what_the_plain_path_gives(
    experiment: Experiment, whole: RunDirectory, editor: str, data: str
):
    """One case by hand: fit, apply, fit on top of it, apply, read each question on its own."""
    found = by_case(whole)
    case = load_cases(data, CASES)[1]
    if (data, editor, case.id) not in found:
        assert editor.endswith("+mle")
        return
    record = found[data, editor, case.id]
    name, model = EditorName.parse(editor), LanguageModel.load(experiment.model)
    method = editor_for(name.base, model, experiment.settings[name.base])
    tolerance = 1e-3 if name.base == "ft" else 1e-4
    steps = plan_of(record, case)
    for state, edits in steps.states.items():
        update = Update()
        for step in edits:
            (made,) = method.fit(model, [Job(step, update)])
            update += made
        norms = [fit.norms for fit in record.fits if fit.state == state]
        assert norms == [pytest.approx(update.norms, rel=10 * tolerance)] * bool(edits)
        with update.applied(model):
            for probe in steps.probes[state]:
                questions = [Question(prompt, probe.target, {}) for prompt in probe.prompts]
                expected = plain_target_logprobs(model, questions)
                (reading,) = (
                    r for r in record.readings if (r.state, r.probe) == (state, probe.name)
                )
                for ours, theirs in zip(reading.logprobs, expected, strict=True):
                    assert list(ours) == pytest.approx(theirs.tolist(), rel=tolerance)


def test_texts_that_begin_with_a_token_are_another_run(
    experiment: Experiment, whole: RunDirectory, tmp_path: Path
):
    small = {"cases": 1, "editors": ("ft",), "data": ("conflict/coverage",)}
    begun = run(experiment.model_copy(update=small | {"prefix": "bos"}), tmp_path / "run")
    assert begun.header.config["prefix"] == "bos"
    (record,) = begun.records()
    plain = next(one for one in whole.records() if one.case_id == record.case_id)
    assert record.readings[0].logprobs != plain.readings[0].logprobs
    with pytest.raises(PitfallsError, match="prefix was bos"):
        run(experiment.model_copy(update=small), tmp_path / "run")


def test_context_templates_and_settings_are_in_the_header(
    experiment: Experiment, whole: RunDirectory
):
    header = whole.header
    assert header.contexts["rome"] == header.contexts["rome+mle"] == ("{}", "One day. {}")
    assert header.contexts["ft"] == ()
    assert header.editors["ft"]["lr"] == 5e-3
    assert header.moments["ft"] == {}
    assert header.moments["rome"] == header.moments["rome+mle"]
    assert header.moments["rome"][1].end == "text"
    assert header.moments["rome"][1].tokens > 0
    assert header.config["cases"] == CASES
    assert header.model.fingerprint == LanguageModel.load(experiment.model).fingerprint
    assert header.data.keys() == DATASETS.keys()
    assert all(info.cases == CASES for info in header.data.values())
