"""A run is complete, repeatable, resumable, and gives each case what it gets alone."""

import json
import math
import random
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import torch

from pitfalls.bench.engine import run
from pitfalls.bench.experiment import Experiment
from pitfalls.cases.case import Case
from pitfalls.cases.case_file import write_cases
from pitfalls.cases.collections import load_cases
from pitfalls.cases.plan import Plan, plan
from pitfalls.editors.editor import Job
from pitfalls.editors.fine_tune import FineTune
from pitfalls.editors.names import EditorName
from pitfalls.editors.table import editor_for
from pitfalls.errors import PitfallsError
from pitfalls.metrics.breakdown import FACETS, NOT_READ
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.moments import MomentSettings
from pitfalls.models.reading.readout import Question, plain_target_logprobs
from pitfalls.models.weights.changes import Dense
from pitfalls.models.weights.quantised import PACKINGS
from pitfalls.progress import SILENT, Advance, Progress, SilentProgress
from pitfalls.records.observation import RELATIVE_NOISE, observe_run
from pitfalls.records.record import Reading, Record
from pitfalls.records.run_directory import RunDirectory
from pitfalls.updates.update import Update
from pitfalls.vocabulary import DATASETS, ROUND_KINDS

CASES = 2


@pytest.fixture(scope="module")
def experiment(tiny_folder: Path, moments: MomentSettings) -> Experiment:
    """Two methods and one of them as Multi-Label Edit, over all starter data sets, in 2 chunks."""
    return Experiment(
        model=str(tiny_folder),
        editors=("ft", "rome", "rome+mle"),
        cases=CASES,
        chunk=5,
        settings={
            "ft": {"layer": 2, "steps": 3, "lr": 5e-3},
            "rome": {
                "layer": 1,
                "contexts": {"templates": ["{}", "One day. {}"]},
                "moments": {"corpus": moments.corpus},
                "value": {"steps": 4, "weight_decay": 1e-3},
            },
        },
    )


@pytest.fixture(scope="module")
def whole(experiment: Experiment, tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    return run(experiment, tmp_path_factory.mktemp("runs") / "whole")


def tables(directory: RunDirectory) -> dict[str, pa.Table]:
    """Everything but the time it took."""
    return {part: directory.table(part).drop_columns("seconds") for part in directory.parts()}


def same_bits(first: RunDirectory, second: RunDirectory) -> bool:
    ours, theirs = tables(first), tables(second)
    return ours.keys() == theirs.keys() and all(ours[part].equals(theirs[part]) for part in ours)


def by_case(directory: RunDirectory) -> dict[tuple[str, str, str], Record]:
    records = list(directory.records())
    found = {(record.data, record.editor, record.case_id): record for record in records}
    assert len(found) == len(records), "every case is there once"
    return found


def plan_of(record: Record, case: Case) -> Plan:
    return plan(case, multi_label=EditorName.parse(record.editor).multi_label)


# --- what is in a run ----------------------------------------------------------------------------


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


# --- again, and on from where it stopped ---------------------------------------------------------


def test_the_same_run_twice_is_the_same_bit_for_bit(
    experiment: Experiment, whole: RunDirectory, tmp_path: Path
):
    assert same_bits(run(experiment, tmp_path / "again"), whole)


@pytest.mark.parametrize("seed", range(3))
def test_a_resumed_run_is_the_run_that_was_never_cut(
    experiment: Experiment, whole: RunDirectory, tmp_path: Path, seed: int
):
    """Whatever subset of its parts is missing."""
    shutil.copytree(whole.path, tmp_path / "cut")
    cut = RunDirectory.read(tmp_path / "cut")
    share = (0.05, 0.5, 1.0)[seed]
    lost = random.Random(seed).sample(cut.parts(), k=max(1, int(share * len(cut.parts()))))
    for part in lost:
        (cut.path / "records" / f"{part}.parquet").unlink()
    kept = {part: cut.path / "records" / f"{part}.parquet" for part in cut.parts()}
    written = {part: file.stat().st_mtime_ns for part, file in kept.items()}
    assert len(kept) == len(whole.parts()) - len(lost)
    resumed = run(experiment, cut.path)
    assert same_bits(resumed, whole)
    assert written == {part: file.stat().st_mtime_ns for part, file in kept.items()}


def test_a_finished_run_has_nothing_left_to_do(
    experiment: Experiment, whole: RunDirectory, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(FineTune, "fit", None)
    monkeypatch.setattr("pitfalls.bench.carry_out.observe", None)
    assert run(experiment, whole.path).parts() == whole.parts()


def test_half_written_files_of_a_killed_run_are_removed(
    experiment: Experiment, whole: RunDirectory, tmp_path: Path
):
    shutil.copytree(whole.path, tmp_path / "killed")
    (part, *_) = whole.parts()
    file = tmp_path / "killed" / "records" / f"{part}.parquet"
    file.rename(file.with_name(f"{file.name}.tmp"))
    assert same_bits(run(experiment, tmp_path / "killed"), whole)
    assert not list((tmp_path / "killed").rglob("*.tmp"))


OTHER: dict[str, dict[str, Any]] = {
    "seed": {"seed": 1},
    "cases": {"cases": 1},
    "chunk": {"chunk": 7},
    "editors": {"editors": ("ft",)},
    "data": {"data": ("round/easy",)},
    "dtype": {"dtype": "bfloat16"},
    "known": {"known": True},
    "ft.lr": {"settings": {"ft": {"layer": 2, "steps": 3, "lr": 1e-3}}},
}


@pytest.mark.parametrize("what", OTHER)
def test_another_configuration_is_refused_and_named(
    experiment: Experiment, whole: RunDirectory, what: str
):
    changes = OTHER[what]
    if "settings" in changes:
        changes = {"settings": {**experiment.settings, **changes["settings"]}}
    other = experiment.model_copy(update=changes)
    before = tables(whole)
    with pytest.raises(PitfallsError, match="was made with another configuration") as told:
        run(other, whole.path)
    assert what in str(told.value)
    assert "\n" not in str(told.value)
    assert tables(whole).keys() == before.keys()


# --- independence --------------------------------------------------------------------------------


def test_chunks_of_another_size_give_the_same_numbers(
    experiment: Experiment, whole: RunDirectory, tmp_path: Path
):
    other = by_case(run(experiment.model_copy(update={"chunk": 1000}), tmp_path / "run"))
    found = by_case(whole)
    assert other.keys() == found.keys()
    for key, record in found.items():
        close(record, other[key])


def close(first: Record, second: Record) -> None:
    tolerance = 1e-3 if first.editor.startswith("ft") else 1e-4
    assert len(first.readings) == len(second.readings)
    for ours, theirs in zip(first.readings, second.readings, strict=True):
        assert (ours.state, ours.probe) == (theirs.state, theirs.probe)
        for a, b in zip(ours.logprobs, theirs.logprobs, strict=True):
            assert list(a) == pytest.approx(list(b), rel=tolerance)
    for fit, other in zip(first.fits, second.fits, strict=True):
        assert fit.losses == pytest.approx(other.losses, rel=tolerance)
        assert fit.norms == pytest.approx(other.norms, rel=10 * tolerance)


def test_one_data_set_and_one_editor_give_the_same_numbers(
    experiment: Experiment, whole: RunDirectory, tmp_path: Path
):
    found = by_case(whole)
    alone = experiment.model_copy(update={"data": ("round/hard",), "editors": ("rome+mle",)})
    records = by_case(run(alone, tmp_path / "run"))
    assert len(records) == CASES
    for key, record in records.items():
        close(record, found[key])


def test_an_editor_named_twice_runs_once(
    experiment: Experiment, whole: RunDirectory, tmp_path: Path
):
    twice = experiment.model_copy(update={"editors": ("ft", "ft"), "cases": 1})
    assert len(by_case(run(twice, tmp_path / "run"))) == len(DATASETS)


# --- what goes wrong -----------------------------------------------------------------------------


def test_a_method_that_diverges_is_recorded_and_the_others_go_on(
    experiment: Experiment, whole: RunDirectory, tmp_path: Path
):
    settings = {**experiment.settings, "ft": {"layer": 2, "steps": 3, "lr": 1e38}}
    found = by_case(whole)
    for key, record in by_case(
        run(experiment.model_copy(update={"settings": settings}), tmp_path / "run")
    ).items():
        if record.editor == "ft":
            assert record.failure is not None
            assert record.failure.startswith("theta_m: ")
            assert {reading.state for reading in record.readings} == {"theta0"}
        else:
            close(record, found[key])


def test_a_case_that_diverges_is_recorded_and_the_others_go_on(
    experiment: Experiment,
    whole: RunDirectory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    unlucky = load_cases("conflict/composite", CASES)[1]
    plain = FineTune.fit

    def breaking(
        self: FineTune, model: LanguageModel, jobs: Sequence[Job], *, progress: Progress = SILENT
    ) -> list[Update]:
        """NaN weights under every edit that the unlucky case begins with."""
        weight = f"{model.mlp_out_name(0)}.weight"
        broken = Update({weight: Dense(torch.full_like(model.weight(weight), torch.nan))})
        jobs = [Job(j.edits, broken if j.edits == (unlucky.first,) else j.base) for j in jobs]
        return plain(self, model, jobs, progress=progress)

    monkeypatch.setattr(FineTune, "fit", breaking)
    records = by_case(run(experiment.model_copy(update={"editors": ("ft",)}), tmp_path / "run"))
    found = by_case(whole)
    failed = [record for record in records.values() if record.failure]
    assert [record.case_id for record in failed] == [unlucky.id]
    (record,) = failed
    assert record.failure is not None
    assert record.failure.startswith("theta_m: the fine-tuning loss is nan at step 1")
    states = {reading.state for reading in record.readings}
    assert states == {"theta0", "theta2"}, "what does not build on the failure is read"
    for key, other in records.items():
        if other.failure is None:
            close(other, found[key])


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "editor": ({"editors": ("roem",)}, "unknown editor 'roem'"),
    "data": ({"data": ("conflict/revers",)}, "conflict/revers"),
    "setting": ({"settings": {"rome": {"laier": 1}}}, "did you mean 'layer'"),
    "editor in settings": ({"settings": {"rmoe": {}}}, "did you mean 'rome'"),
    "layer": ({"settings": {"ft": {"layer": 99}}}, "layer 99 does not exist"),
    "dtype": ({"dtype": "int7"}, "did you mean 'int8'"),
    "model": ({"model": "no-such-model"}, "no-such-model"),
    "mle on conflicts": (
        {"editors": ("rome+mle",), "data": ("conflict/reverse", "conflict/coverage")},
        "differs from rome on round trips only",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_mistakes_are_told_before_anything_is_written(
    experiment: Experiment, tmp_path: Path, what: str
):
    changes, told = WRONG[what]
    with pytest.raises(PitfallsError, match=told) as error:
        run(experiment.model_copy(update=changes), tmp_path / "run")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("dtype", PACKINGS)
def test_a_model_in_few_bits_is_measured(experiment: Experiment, tmp_path: Path, dtype: str):
    changes = {"dtype": dtype, "editors": ("ft", "rome"), "cases": 1}
    directory = run(experiment.model_copy(update=changes), tmp_path / "run")
    records = by_case(directory).values()
    assert records and not any(record.failure for record in records)
    assert {one.source.noise for one in observe_run(directory)} == {RELATIVE_NOISE["bfloat16"]}


# --- cases that measure nothing ------------------------------------------------------------------


@pytest.fixture
def odd_data(tmp_path: Path) -> Path:
    """Three sound cases, and in front of them one whose first edit changes nothing."""
    sound = load_cases("conflict/coverage", 3)
    first, second = sound[0].first, sound[0].second
    assert first.object is not None
    idle = replace(
        sound[0],
        id="idle",
        edits=(replace(first, new_object=first.object), replace(second, object=first.object)),
    )
    path = tmp_path / "odd.jsonl"
    write_cases(path, [idle, *sound])
    return path


def test_degenerate_cases_are_left_out_on_request(
    experiment: Experiment, odd_data: Path, tmp_path: Path
):
    asked = {"data": (str(odd_data),), "editors": ("ft",), "cases": 2}
    plain = run(experiment.model_copy(update=asked), tmp_path / "plain")
    skipping = run(
        experiment.model_copy(update={**asked, "skip_degenerate": True}), tmp_path / "skipping"
    )
    sound = [case.id for case in load_cases("conflict/coverage", 3)]
    assert [record.case_id for record in plain.records()] == ["idle", sound[0]]
    assert [record.case_id for record in skipping.records()] == sound[:2]


def test_nothing_but_degenerate_cases_is_refused(
    experiment: Experiment, odd_data: Path, tmp_path: Path
):
    idle, *_ = load_cases(str(odd_data))
    write_cases(odd_data, [idle])
    asked = {"data": (str(odd_data),), "skip_degenerate": True}
    with pytest.raises(PitfallsError, match="holds no case that can be measured"):
        run(experiment.model_copy(update=asked), tmp_path / "run")


# --- cases of facts that the model knows ---------------------------------------------------------


READ = ("conflict/coverage", "round/hard")


@pytest.fixture(scope="module")
def knowing(experiment: Experiment) -> Experiment:
    """Data sets of which records tell whether the model knows the fact, and one of which not."""
    wanted = {"data": (*READ, "conflict/reverse"), "editors": ("ft",), "cases": 3, "known": True}
    return experiment.model_copy(update=wanted)


@pytest.fixture(scope="module")
def known_only(knowing: Experiment, tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    return run(knowing, tmp_path_factory.mktemp("runs") / "known")


def test_known_keeps_the_first_cases_whose_fact_the_model_knows(
    knowing: Experiment, known_only: RunDirectory, tmp_path: Path
):
    every = run(knowing.model_copy(update={"known": False, "cases": 12}), tmp_path / "every")
    told = [(case, FACETS["known"](case)) for case in observe_run(every)]
    assert {facet for _, facet in told} == {"yes", "no", NOT_READ}
    kept = list(observe_run(known_only))
    for data in READ:
        known = [one.case_id for one, facet in told if one.source.data == data and facet == "yes"]
        assert [one.case_id for one in kept if one.source.data == data] == known[:3]
        assert known_only.header.data[data].kept == tuple(known[:3])
    assert sum(one.source.data not in READ for one in kept) == 3


def test_a_run_of_known_facts_goes_on_with_the_same_cases(
    knowing: Experiment, known_only: RunDirectory, tmp_path: Path
):
    shutil.copytree(known_only.path, tmp_path / "cut")
    (tmp_path / "cut" / "records" / f"{known_only.parts()[0]}.parquet").unlink()
    assert same_bits(run(knowing, tmp_path / "cut"), known_only)
    with pytest.raises(PitfallsError, match="known was True, now False"):
        run(knowing.model_copy(update={"known": False}), tmp_path / "cut")
    file = tmp_path / "cut" / "run.json"
    kept = known_only.header.data[READ[0]].kept or ()
    file.write_text(file.read_text("utf-8").replace(kept[0], "another"), "utf-8")
    with pytest.raises(PitfallsError, match=f"data.{READ[0]}.kept was"):
        run(knowing, tmp_path / "cut")


def test_a_run_from_before_there_was_such_a_choice_goes_on(
    experiment: Experiment, whole: RunDirectory, tmp_path: Path
):
    shutil.copytree(whole.path, tmp_path / "old")
    file = tmp_path / "old" / "run.json"
    header = json.loads(file.read_text("utf-8"))
    del header["config"]["known"]
    for info in header["data"].values():
        del info["kept"]
    file.write_text(json.dumps(header), "utf-8")
    assert same_bits(run(experiment, tmp_path / "old"), whole)


def test_nothing_but_unknown_facts_is_refused(
    experiment: Experiment, odd_data: Path, tmp_path: Path
):
    idle, *_ = load_cases(str(odd_data))  # its true object stays what it is: no preference
    write_cases(odd_data, [idle])
    asked = {"data": (str(odd_data),), "known": True, "editors": ("ft",)}
    with pytest.raises(PitfallsError, match="holds no case that rests on a fact that the model"):
        run(experiment.model_copy(update=asked), tmp_path / "run")


# --- what is told on the way ---------------------------------------------------------------------


@dataclass
class Counting(SilentProgress):
    """Notes every stage's total and how far it came."""

    totals: dict[str, float] = field(default_factory=dict)
    done: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str, total: float | None = None, unit: str = "") -> Iterator[Advance]:
        self.totals[name], self.done[name] = total or 0, 0.0

        def advance(amount: float) -> None:
            self.done[name] += amount

        yield advance


def test_progress_of_every_editor_ends_at_its_total(experiment: Experiment, tmp_path: Path):
    watched, experiment = Counting(), experiment.model_copy(update={"cases": 1})
    directory = run(experiment, tmp_path / "run", progress=watched)
    records = Counter(record.editor for record in directory.records())
    stages = {f"{name}, editor {n} of 3": records[name] for n, name in enumerate(records, 1)}
    assert stages == {name: total for name, total in watched.totals.items() if "editor" in name}
    assert stages == {name: done for name, done in watched.done.items() if "editor" in name}
    again = Counting()
    run(experiment, tmp_path / "run", progress=again)
    assert stages.items() <= again.done.items()


def test_an_editor_is_told_of_once_all_its_cases_are_measured(
    experiment: Experiment, tmp_path: Path
):
    told: list[tuple[Counter[str], int]] = []

    def measured(directory: RunDirectory, left: int) -> None:
        told.append((Counter(record.editor for record in directory.records()), left))

    run(experiment, tmp_path / "run", measured=measured)
    whole = {"ft": CASES * len(DATASETS), "rome": CASES * len(DATASETS)}
    whole["rome+mle"] = CASES * len(ROUND_KINDS)
    assert told == [
        (Counter({name: whole[name] for name in list(whole)[:n]}), 3 - n) for n in (1, 2, 3)
    ]
    told.clear()
    run(experiment, tmp_path / "run", measured=measured)
    assert told == [], "nothing was left to measure"


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
