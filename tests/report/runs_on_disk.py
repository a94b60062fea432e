"""Runs made up in memory: every kind of case, two editors, chance numbers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pitfalls.records.header import DataInfo, ModelInfo, RelationInfo, RunHeader
from pitfalls.records.record import Fit, Reading, Record
from pitfalls.records.run_directory import RunDirectory, part_name
from pitfalls.vocabulary import DATASETS, ROUND_KINDS, CaseKind, StateName

RELATIONS = {
    "P40": RelationInfo(label="child", prompt="{} is a parent of"),
    "P22": RelationInfo(label="father", prompt="{}'s father is"),
    "P26": RelationInfo(label="spouse", prompt="{} is married to"),
    "P25": RelationInfo(label="mother", prompt="{}'s mother is"),
    "P1411": RelationInfo(label="nominated for", prompt="{} was nominated for"),
}


def make_run(
    path: Path,
    *,
    cases: int = 4,
    editors: tuple[str, ...] = ("rome", "ft"),
    data: tuple[str, ...] = tuple(DATASETS),
    model: str = "tiny",
    seed: int = 0,
    planned: int | None = None,
) -> Path:
    """A run directory of `cases` cases of every data set under every editor."""
    header = RunHeader(
        created="2026-01-01T00:00:00+00:00",
        config={"editors": list(editors)},
        seed=seed,
        model=ModelInfo(name=model, fingerprint="f", dtype="float32"),
        editors={name: {} for name in editors},
        data={name: DataInfo(checksum="c", cases=planned or cases) for name in data},
        relations=dict.fromkeys(data, RELATIONS),
        packages={},
    )
    run = RunDirectory.open(path, header)
    for position, name in enumerate(data):
        for editor in editors if cases else ():
            draw = np.random.default_rng([seed, position, len(editor)])
            rows = [record(i, name, DATASETS[name], editor, draw) for i in range(cases)]
            run.write(part_name(name, editor, 0), rows)
    return path


def record(i: int, data: str, kind: CaseKind, editor: str, draw: np.random.Generator) -> Record:
    case = made_case(i, kind)
    readings = [
        Reading(state, probe, f"{probe} {i}", tuple(((-float(draw.exponential(2)),),) * 2))
        for state in states(kind)
        for probe in probes(kind, case)
    ]
    steps = tuple(float(x) for x in 5 * 0.7 ** np.arange(4 + i % 3))
    fits = tuple(Fit(state, steps, {"w": 1.5}, 0.1) for state in states(kind)[1:])
    return Record(f"{kind}-{i:05d}", editor, data, kind, case, tuple(readings), fits)


def states(kind: CaseKind) -> tuple[StateName, ...]:
    always: tuple[StateName, ...] = ("theta0", "theta_m", "theta_prime")
    return always if kind in ROUND_KINDS else (*always, "theta2")


def probes(kind: CaseKind, case: dict[str, Any]) -> Iterator[str]:
    match kind:
        case "coverage":
            yield from ("old", "new_explicit", "true")
        case "reverse" | "composite":
            yield from ("old", "new_explicit", "new_implicit")
            yield from ("tied",) if kind == "composite" else ()
        case _:
            yield from ("original", "intermediate")
            yield from (f"other/{j}" for j in range(len(case["true_objects"]) - 1))


def thing(name: str, i: int) -> dict[str, str]:
    return {"id": f"Q{name}{i}", "label": f"{name} <{i}> & Söhne"}


def fact(subject: dict[str, str], relation: str, target: dict[str, str]) -> dict[str, Any]:
    return {"subject": subject, "relation": relation, "object": target}


def made_case(i: int, kind: CaseKind) -> dict[str, Any]:
    """Consistent with what `pitfalls.cases` demands of the kind."""
    a, b, c, d = (thing(name, i) for name in ("Ada", "Bob", "Cleo", "Dan"))
    row: dict[str, Any] = {"id": f"{kind}-{i:05d}", "kind": kind}
    if kind == "coverage":
        first = fact(a, "P40", b) | {"new_object": c}
        second = fact(a, "P40", c) | {"new_object": d}
        triples = [fact(a, "P40", b)]
        return row | {"first": first, "second": second, "triples": triples}
    if kind == "reverse":
        first = fact(a, "P40", b) | {"new_object": c}
        second = fact(c, "P22", a) | {"new_object": d}
        triples = [fact(a, "P40", b), fact(b, "P22", a)]
        return row | {"rule": "P40>P22", "first": first, "second": second, "triples": triples}
    if kind == "composite":
        tied, body, head = fact(a, "P40", b), fact(b, "P25", c), fact(a, "P26", c)
        edits = {
            "first": body | {"new_object": d},
            "second": head | {"new_object": thing("Eve", i)},
        }
        rest = {"rule": "P40&P25>P26", "tied": tied, "triples": [tied, body, head]}
        return row | edits | rest
    first = fact(a, "P1411", b) | {"new_object": c}
    second = fact(a, "P1411", c) | {"new_object": b}
    return row | {
        "first": first,
        "second": second,
        "true_objects": [b, d, thing("Eve", i)][: 2 + i % 2],
    }
