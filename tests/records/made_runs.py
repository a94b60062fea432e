"""A header and a record to write down."""

from pitfalls.records.header import DataInfo, ModelInfo, RunHeader
from pitfalls.records.record import Fit, Reading, Record
from pitfalls.records.run_directory import part_name

PART = part_name("starter:conflict/coverage", "rome", 3)


def header(**changes: object) -> RunHeader:
    settings_ = {
        "created": "2024-05-01T12:00:00+00:00",
        "config": {"cases": 4, "editor": {"steps": 20}},
        "seed": 0,
        "model": ModelInfo(name="tiny", fingerprint="abc", dtype="float32"),
        "editors": {"rome": {"layer": 3}},
        "contexts": {"rome": ("{}", "Yes. {}")},
        "data": {"starter:conflict/coverage": DataInfo(checksum="123", cases=4)},
        "packages": {"torch": "2.6.0"},
    }
    return RunHeader(**(settings_ | changes))


def record(**changes: object) -> Record:
    values = {
        "case_id": "coverage-00000",
        "editor": "rome",
        "data": "starter:conflict/coverage",
        "kind": "coverage",
        "case": {"id": "coverage-00000", "first": {"subject": {"id": "Q1"}}, "rule": None},
        "readings": (Reading("theta0", "old", "Zürich", ((-1.5, -0.25), (-2.0,))),),
        "fits": (Fit("theta_m", (3.5, 0.25), {"w.3": 1.25}, 0.5),),
    }
    return Record(**(values | changes))
