"""Observations: all that a metric sees of a case, the readings of each probe in each state.

No metric knows which editor it scores, where the numbers were read or when.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pitfalls.door.values import parse_json
from pitfalls.errors import UnknownNameError
from pitfalls.records.run_directory import RunDirectory
from pitfalls.vocabulary import KIND_WORDS, CaseKind, StateName

RELATIVE_NOISE: Mapping[str, float] = {
    "float64": 1e-4,
    "float32": 1e-4,
    "bfloat16": 1e-2,
    "int8": 1e-2,  # of packed matrices too, the products are in bfloat16
    "nf4": 1e-2,
}
"""By what share a probability may move through rounding alone, by the dtype of the weights."""


_Found: TypeAlias = dict[tuple[StateName, str], float]
_Texts: TypeAlias = dict[tuple[StateName, str], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Source:
    """Where observations come from; those of one source are averaged into one score."""

    run: str
    """The run's directory, as the user named it."""
    model: str
    editor: str
    data: str
    kind: CaseKind
    noise: float = RELATIVE_NOISE["float32"]
    """The share of a probability that may be numerical noise."""
    reference: bool = False
    """Whether this is a reference that editors are compared with, not the work of an editor."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One case: p(k) for every fact k that was read, in every state it was read in.

    p(k) is the mean over the prompts of exp(mean log-probability of the target's tokens).
    """

    source: Source
    case_id: str
    subject: str
    """Id of e1's subject. Cases of one subject are not independent of each other."""
    probabilities: Mapping[tuple[StateName, str], float]
    """(state, probe) → p, for the probes of the kind's plan and their aliases (`KIND_WORDS`)."""
    failure: str | None = None
    case: Mapping[str, Any] = field(default_factory=dict)
    """The case as its row carries it along; empty where a source has none."""
    tokens: Mapping[str, int] = field(default_factory=dict)
    """Probe → tokens of its target, as the edited model cuts them."""
    targets: Mapping[str, str] = field(default_factory=dict)
    """Probe → its target in words; empty where a source has none."""
    texts: Mapping[tuple[StateName, str], tuple[str, ...]] = field(default_factory=dict)
    """(state, probe) → [prompt], the text that the model wrote, for probes that read text."""

    @property
    def edits(self) -> tuple[Mapping[str, Any], ...]:
        """The case's edits as its row has them: under `edits`, or a pair as `first`, `second`."""
        return edits_of(self.case)

    @property
    def states(self) -> tuple[StateName, ...]:
        """The states that anything was read in, in the order of the readings."""
        return tuple(dict.fromkeys(state for state, _ in (*self.probabilities, *self.texts)))

    def has(self, state: StateName, probe: str) -> bool:
        """Whether the probe was read in that state, as a probability or as text."""
        return (state, probe) in self.probabilities or (state, probe) in self.texts

    def p(self, state: StateName, probe: str, *instead: str) -> float:
        """How probable the probe's fact is in that state.

        Args:
            state: a state of the kind's plan.
            probe: a probe of it.
            instead: further probes, the next being taken where one was not read.
        """
        name = next((name for name in (probe, *instead) if self.has(state, name)), probe)
        return self.probabilities[state, name]

    def numbered(self, state: StateName, group: str) -> list[float]:
        """How probable the probes `group/0`, `group/1`, … are in that state, in this order."""
        count = sum(
            probe.startswith(f"{group}/") for at, probe in self.probabilities if at == state
        )
        return [self.p(state, f"{group}/{position}") for position in range(count)]

    def text(self, state: StateName, probe: str) -> tuple[str, ...]:
        """[prompt], the text that the model wrote for the probe in that state."""
        return self.texts[state, probe]


def observe_run(run: RunDirectory) -> Iterator[Observation]:
    """Every case of a run, in the order of its parts.

    Raises:
        PitfallsError: a damaged part, or a dtype whose noise is not known.
    """
    info = run.header.model
    if info.dtype not in RELATIVE_NOISE:
        raise UnknownNameError("dtype", info.dtype, RELATIVE_NOISE)
    noise = RELATIVE_NOISE[info.dtype]
    for table in run.tables():
        yield from observe_table(table, run=str(run.path), model=info.name, noise=noise)


def observe_table(table: pa.Table, *, run: str, model: str, noise: float) -> Iterator[Observation]:
    """Every row of a table of `table_form.SCHEMA`, without making records of them first."""
    columns = table.select(["case_id", "editor", "data", "kind", "case", "failure"]).to_pylist()
    readings = table["readings"].combine_chunks()
    read = zip(columns, *_read(readings), _tokens(readings), strict=True)
    for row, found, texts, targets, tokens in read:
        case = _as_case(parse_json(row["case"], where=f"{run}: case {row['case_id']}"))
        source = Source(run, model, row["editor"], row["data"], row["kind"], noise)
        for alias, probe in KIND_WORDS[source.kind].aliases.items():
            found |= {(at, alias): p for (at, name), p in found.items() if name == probe}
        yield Observation(
            source=source,
            case_id=row["case_id"],
            subject=_subject(case) or row["case_id"],
            probabilities=found,
            failure=row["failure"] or not_finite(found),
            case=case,
            tokens=tokens,
            targets=targets,
            texts=texts,
        )


def _read(rows: pa.ListArray) -> tuple[list[_Found], list[_Texts], list[dict[str, str]]]:
    """For every row: (state, probe) → p(k) in float64, (state, probe) → texts, probe → target.

    p(k) is the geometric mean over the target's tokens, then the mean over the prompts.
    """
    readings = rows.flatten()
    prompts = readings.field("logprobs")
    tokens = prompts.flatten()
    p_prompt = np.exp(_means(tokens, tokens.flatten()))
    p = _means(prompts, p_prompt).tolist()
    names = [readings.field(name).to_pylist() for name in ("state", "probe", "target", "texts")]
    found: list[_Found] = [{} for _ in range(len(rows))]
    texts: list[_Texts] = [{} for _ in range(len(rows))]
    targets: list[dict[str, str]] = [{} for _ in range(len(rows))]
    owners = pc.list_parent_indices(rows).to_pylist()
    for i, (row, state, probe, target, written) in enumerate(zip(owners, *names, strict=True)):
        targets[row][probe] = target
        if written:
            texts[row][state, probe] = tuple(written)
        else:
            found[row][state, probe] = p[i]
    return found, texts, targets


def _tokens(rows: pa.ListArray) -> list[dict[str, int]]:
    """Probe → tokens of its target for every row; all prompts and states have the same."""
    readings = rows.flatten()
    prompts = readings.field("logprobs")
    counts = np.asarray(pc.list_value_length(prompts.flatten()))
    owners, first = np.unique(np.asarray(pc.list_parent_indices(prompts)), return_index=True)
    parents, probes = pc.list_parent_indices(rows).to_pylist(), readings.field("probe").to_pylist()
    found: list[dict[str, int]] = [{} for _ in range(len(rows))]
    for reading, count in zip(owners.tolist(), counts[first].tolist(), strict=True):
        found[parents[reading]][probes[reading]] = count
    return found


def _means(lists: pa.ListArray, values: Any) -> NDArray[np.float64]:
    """The mean of each list; `values` holds the items of all lists in a row."""
    parents = np.asarray(pc.list_parent_indices(lists))
    sums = np.bincount(parents, weights=np.asarray(values), minlength=len(lists))
    with np.errstate(invalid="ignore"):  # an empty list has no mean; NaN is found later
        return sums / np.asarray(pc.list_value_length(lists))


def not_finite(found: Mapping[tuple[StateName, str], float]) -> str | None:
    """Reason for a case to have failed: a probability of it is no number; None if all are."""
    broken = next((name for name, p in found.items() if not math.isfinite(p)), None)
    return f"the probability of {broken[1]} in {broken[0]} is not finite" if broken else None


def edits_of(case: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The edits of a case's row in order; none for a case in an unknown form."""
    written = case.get("edits")
    if not isinstance(written, list):
        written = [case.get(name) for name in ("first", "second")]
    return tuple(edit for edit in written if isinstance(edit, dict))


def _as_case(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _subject(case: Mapping[str, Any]) -> str | None:
    """Id of e1's subject; None for a case in an unknown form."""
    match edits_of(case):
        case [{"subject": {"id": str(subject)}}, *_]:
            return subject
    return None
