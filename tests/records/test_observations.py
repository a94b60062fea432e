"""Observations hold p(k) as the paper's code computes it, whatever they are read from."""

import json
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pitfalls.errors import PitfallsError
from pitfalls.records.authors import observe_authors_results
from pitfalls.records.header import ModelInfo, RunHeader
from pitfalls.records.observation import Observation, observe_run, observe_table
from pitfalls.records.record import Reading, Record
from pitfalls.records.run_directory import RunDirectory
from pitfalls.records.table_form import to_table
from pitfalls.vocabulary import CaseKind

logprobs = st.lists(
    st.lists(st.floats(-50, 0, width=32), min_size=1, max_size=6).map(tuple),
    min_size=1,
    max_size=12,
).map(tuple)


def row(*readings: Reading, kind: CaseKind = "reverse", **changes: Any) -> Record:
    return Record("case-0", "rome", "data", kind, {}, readings, (), **changes)


def observed(*records: Record) -> list[Observation]:
    return list(observe_table(to_table(records), run="r", model="m", noise=1e-4))


@settings(deadline=None)
@given(st.lists(logprobs, min_size=1, max_size=4))
def test_p_is_the_mean_over_prompts_of_geometric_means(readings: list[Any]) -> None:
    records = [
        row(Reading("theta0", "old", "", one), Reading("theta_m", "tied", "", readings[0]))
        for one in readings
    ]
    for case, one in zip(observed(*records), readings, strict=True):
        expected = [math.exp(math.fsum(tokens) / len(tokens)) for tokens in one]
        assert case.p("theta0", "old") == pytest.approx(sum(expected) / len(expected), rel=1e-12)


def test_a_slice_of_a_table_is_read_as_itself() -> None:
    table = to_table([row(Reading("theta0", "old", "", ((-float(i),),))) for i in range(4)])
    table = pa.concat_tables([table.slice(3, 1), table.slice(1, 2)])
    found = observe_table(table, run="r", model="m", noise=1e-4)
    assert [round(-math.log(case.p("theta0", "old"))) for case in found] == [3, 1, 2]


def test_impossible_targets_have_probability_zero() -> None:
    [case] = observed(row(Reading("theta0", "old", "", ((-math.inf, -1.0),))))
    assert case.p("theta0", "old") == 0
    assert case.failure is None


@pytest.mark.parametrize("tokens", [(math.nan, -1.0), ()])
def test_a_probability_that_is_no_number_fails_its_case(tokens: tuple[float, ...]) -> None:
    [case] = observed(row(Reading("theta_m", "old", "", (tokens,))))
    assert case.failure == "the probability of old in theta_m is not finite"


def test_the_cause_of_a_failure_is_kept() -> None:
    [case] = observed(row(failure="non-finite loss"))
    assert case.failure == "non-finite loss"


def test_coverage_has_one_wording_of_the_new_fact() -> None:
    reading = Reading("theta2", "new_explicit", "", ((-1.0,),))
    [coverage], [reverse] = observed(row(reading, kind="coverage")), observed(row(reading))
    assert coverage.p("theta2", "new") == coverage.p("theta2", "new_explicit")
    assert not reverse.has("theta2", "new")


def test_numbered_probes_come_in_order() -> None:
    readings = [
        Reading("theta0", f"other/{i}", "", ((-float(i),),)) for i in (10, 2, 0, 1, *range(3, 10))
    ]
    [case] = observed(row(*readings, kind="round-easy"))
    assert case.numbered("theta0", "other") == pytest.approx([math.exp(-i) for i in range(11)])
    assert case.numbered("theta_prime", "other") == []


def test_cases_of_one_subject_are_told_by_its_id() -> None:
    case = {"first": {"subject": {"id": "Q7"}}}
    with_subject = Record("a", "rome", "data", "reverse", case, (), ())
    assert [one.subject for one in observed(with_subject, row())] == ["Q7", "case-0"]


def test_an_unknown_dtype_is_told(tmp_path: Path) -> None:
    model = ModelInfo(name="m", fingerprint="f", dtype="float3")
    header = RunHeader(created="", config={}, seed=0, model=model, editors={}, data={}, packages={})
    run = RunDirectory.open(tmp_path / "a", header)
    with pytest.raises(PitfallsError, match=r"unknown dtype 'float3'.*float32"):
        list(observe_run(run))


# --- the authors' result files ---

P = {"rewrite": 0.5, "generation": [0.25, 0.75]}


def conflict_record(**changes: Any) -> dict[str, Any]:
    return dict.fromkeys(("CS_pre", "CS_post", "CM_pre", "CM_post"), P) | changes


def round_record(**changes: Any) -> dict[str, Any]:
    two = {"target_true": P, "target_new": P}
    return {"edit1": two, "edit2": two | {"others": [P]}} | changes


BASELINE = {"model": {"target_true": P, "target_new": P, "others": [P]}}


def write(folder: Path, name: str, content: Any) -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content))


def told(folder: Path) -> str:
    with pytest.raises(PitfallsError) as error:
        list(observe_authors_results(folder))
    assert "\n" not in str(error.value)
    return str(error.value)


def test_editors_and_data_are_named_as_on_the_command_line(tmp_path: Path) -> None:
    write(tmp_path, "conflict_results/ROME_reverse.json", [conflict_record()])
    write(tmp_path, "round_results/MEMIT_easy_multi.json", [round_record()])
    write(tmp_path, "round_results/easy_model.json", [BASELINE])
    write(tmp_path, "round_results/notes.json", [])
    sources = [case.source for case in observe_authors_results(tmp_path)]
    assert [(s.editor, s.data, s.kind) for s in sources] == [
        ("rome", "conflict/reverse", "reverse"),
        ("memit+mle", "round/easy", "round-easy"),
    ]


@pytest.mark.parametrize("key", ["CS_pre", "CS_post", "CM_pre", "CM_post"])
@pytest.mark.parametrize(
    "damage", [None, 0.5, {"rewrite": 0.5}, {"rewrite": "0.5", "generation": []}]
)
def test_a_record_that_lacks_a_key_is_named(tmp_path: Path, key: str, damage: Any) -> None:
    records = [conflict_record(), conflict_record(**{key: damage})]
    write(tmp_path, "conflict_results/FT_reverse.json", records)
    assert f"FT_reverse.json: record 1: expected {key} to hold" in told(tmp_path)


@pytest.mark.parametrize("content", ['[{"CS_pre": {', "", "{}", "[]", "\x1f\x8b"])
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    write(tmp_path, "conflict_results/FT_reverse.json", content)
    assert "FT_reverse.json" in told(tmp_path)


def test_a_truncated_compressed_file_is_named(tmp_path: Path) -> None:
    write(tmp_path, "conflict_results/FT_reverse.json.gz", "not gzip")
    assert "FT_reverse.json.gz: is damaged or cut off" in told(tmp_path)


def test_a_missing_baseline_is_named(tmp_path: Path) -> None:
    write(tmp_path, "round_results/ROME_hard.json", [round_record()])
    assert "ROME_hard.json needs hard_model.json beside it" in told(tmp_path)


@pytest.mark.parametrize(
    ("baseline", "message"),
    [
        ([], "list of at least one record"),
        ([BASELINE], "has 1 records, ROME_hard.json has 2"),
        ([BASELINE, {}], "neither `model` nor `gptj`"),
        ([BASELINE, {"model": {"target_new": P, "others": []}}], "lists of one length"),
        ([BASELINE, BASELINE | {"edit": {"subject": {"id": "Q1"}}}], "is another case"),
    ],
)
def test_a_baseline_of_other_cases_is_refused(
    tmp_path: Path, baseline: list[Any], message: str
) -> None:
    write(tmp_path, "round_results/ROME_hard.json", [round_record(), round_record()])
    write(tmp_path, "round_results/hard_model.json", baseline)
    assert message in told(tmp_path)


def test_a_folder_without_results_is_told(tmp_path: Path) -> None:
    assert "expected conflict_results/ROME_coverage.json" in told(tmp_path / "nowhere")
