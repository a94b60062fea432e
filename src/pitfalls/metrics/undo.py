"""The reference of round trips: an edit that took, and was then taken off again exactly.

What is left is the unedited model, whose probabilities are in every record, so nothing has to be
run. Without this row, Succ has no reference point: the unedited model itself prefers o* to o1 in
some cases, and a perfect restoration is marked down there.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from pitfalls.records.observation import Observation, not_finite
from pitfalls.vocabulary import ROUND_KINDS, StateName

UNDO = "undo"
"""Name in tables, where other rows name an editor."""

_TOOK: dict[tuple[StateName, str], float] = {
    ("theta_m", "original"): 0.0,
    ("theta_m", "intermediate"): 1.0,
}
"""The way out counts as made, so that the row is the same whatever editors a run has."""


def undone(observations: Iterable[Observation]) -> Iterator[Observation]:
    """Every case of a round trip once for each run, as its exact undoing would leave it.

    Args:
        observations: of any number of runs and editors. Those of one case in one run share what
            the unedited model says; whether an edit of it failed makes no difference here.
    """
    seen = set()
    for case in observations:
        key = (case.source.run, case.source.model, case.source.data, case.case_id)
        before = {probe: p for (state, probe), p in case.probabilities.items() if state == "theta0"}
        if case.source.kind not in ROUND_KINDS or not before or key in seen:
            continue
        seen.add(key)
        found: dict[tuple[StateName, str], float] = dict(_TOOK)
        for probe, p in before.items():
            found["theta0", probe] = found["theta_prime", probe] = p
        source = replace(case.source, editor=UNDO, reference=True)
        yield replace(case, source=source, probabilities=found, failure=not_finite(found))
