"""Small runs and how tests look at them."""

import pyarrow as pa
import pytest

from pitfalls.cases.case import Case
from pitfalls.cases.plan import Plan, plan
from pitfalls.editors.names import EditorName
from pitfalls.records.record import Record
from pitfalls.records.run_directory import RunDirectory

CASES = 2


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
