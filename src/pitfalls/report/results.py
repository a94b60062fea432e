"""Runs in a notebook: scores, cases and probabilities as Arrow tables."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from pitfalls.errors import PitfallsError
from pitfalls.metrics.breakdown import FACETS
from pitfalls.metrics.case_value import case_value, number_of
from pitfalls.metrics.comparison import Axis, compare
from pitfalls.metrics.scores import score
from pitfalls.metrics.table import METRICS
from pitfalls.records.observation import Observation, observe_run
from pitfalls.records.run_directory import RunDirectory
from pitfalls.report.tidy import comparison_table, score_table
from pitfalls.vocabulary import Preset


@dataclass(frozen=True, slots=True)
class Results:
    """Results of runs as tables.

    Every table is an Arrow table: `.to_pandas()` and `polars.from_arrow(…)` take it further.
    """

    observations: tuple[Observation, ...]

    def __repr__(self) -> str:
        """How much there is, on one line."""
        sources = {case.source for case in self.observations}
        names = ({s.model for s in sources}, {s.editor for s in sources}, {s.data for s in sources})
        told = zip(map(len, names), ("models", "editors", "data sets"), strict=True)
        parts = (f"{number} {what}" for number, what in told)
        return f"<Results: {len(self.observations)} cases; {', '.join(parts)}>"

    @classmethod
    def read(cls, *runs: Path | str) -> "Results":
        """Everything that the run directories hold so far.

        Raises:
            PitfallsError: no run, no records yet, or a damaged part.
        """
        cases = tuple(case for run in runs for case in observe_run(RunDirectory.read(Path(run))))
        if not cases:
            raise PitfallsError(
                f"no records in {', '.join(map(str, runs)) or 'no run'}; "
                "let `pitfalls run` finish a chunk first"
            )
        return cls(cases)

    def scores(self, preset: Preset = "authors") -> pa.Table:
        """A row for every metric of every editor and data set, as `pitfalls score` prints them."""
        return score_table(score(self.observations, preset=preset))

    def comparisons(
        self, axis: Axis = "editor", *, base: str | None = None, preset: Preset = "authors"
    ) -> pa.Table:
        """A row for every metric of two editors, models or runs on the same cases."""
        return comparison_table(compare(self.observations, axis=axis, base=base, preset=preset))

    def cases(self, preset: Preset = "authors") -> pa.Table:
        """A row for every case under every editor: what it is, and a column for each metric.

        Null where a metric says nothing about the case.
        """
        return _from_rows([_case_row(case, preset) for case in self.observations])

    def probabilities(self) -> pa.Table:
        """A row for every p(k): which case, in which state, which fact."""
        return _from_rows([row for case in self.observations for row in _probability_rows(case)])


def _case_row(case: Observation, preset: Preset) -> dict[str, Any]:
    facets = {name: facet(case) for name, facet in FACETS.items()}
    row = _place(case) | {"subject": case.subject} | facets | {"failure": case.failure}
    for name, metric in METRICS.items():
        applies = case.failure is None and metric.applies(case, preset)
        row[name] = number_of(case_value(metric, case, preset)) if applies else None
    return row


def _probability_rows(case: Observation) -> Iterator[dict[str, Any]]:
    for (state, probe), p in case.probabilities.items():
        yield _place(case) | {"state": state, "probe": probe, "p": p}


def _place(case: Observation) -> dict[str, Any]:
    source = case.source
    return {
        "run": source.run,
        "model": source.model,
        "editor": source.editor,
        "data": source.data,
        "kind": source.kind,
        "case_id": case.case_id,
    }


def _from_rows(rows: list[dict[str, Any]]) -> pa.Table:
    """Metrics are float64 even where none of the cases has them."""
    table = pa.Table.from_pylist(rows)
    kinds = [
        field.with_type(pa.float64() if field.name in METRICS else pa.string())
        if pa.types.is_null(field.type)
        else field
        for field in table.schema
    ]
    return table.cast(pa.schema(kinds))
