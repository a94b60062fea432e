"""Audit of a data set: its oddities case by case, and the cases that measure nothing left out.

The released data holds edits that change nothing, labels that are bare ids and more. None of it is
repaired here, so that published numbers stay reproducible; `drop_degenerate` leaves out the cases
that measure nothing, and says which and why.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

from pitfalls.cases.anomalies import ANOMALIES, AnomalyName, Known, describe, is_degenerate
from pitfalls.cases.case import Case


@dataclass(frozen=True, slots=True)
class Finding:
    """A case and all that is odd about it."""

    case: Case
    anomalies: tuple[AnomalyName, ...]

    def __str__(self) -> str:
        reasons = "; ".join(describe(name) for name in self.anomalies)
        return f"{self.case.id}: {reasons}"


def audit(cases: Iterable[Case], *, known: Known = frozenset()) -> list[Finding]:
    """Every case that has at least one anomaly, in order.

    Args:
        cases: one data set; a repetition is a repetition within it.
        known: true triples beside those that the cases themselves state.
    """
    cases = list(cases)
    known = known | known_facts(cases)
    had: set[tuple[str, str]] = set()
    findings = []
    for case in cases:
        names = [name for name, anomaly in ANOMALIES.items() if anomaly.holds(case, known)]
        about = (case.first.subject.id, case.first.relation.id)
        names += ["repeated-subject"] if about in had else []
        had.add(about)
        if names:
            findings.append(Finding(case, tuple(names)))
    return findings


def counts(findings: Iterable[Finding]) -> dict[AnomalyName, int]:
    """How many cases have each anomaly, zeros included, in the order of `AnomalyName`."""
    found = Counter(name for finding in findings for name in finding.anomalies)
    return {name: found[name] for name in get_args(AnomalyName)}


def drop_degenerate(
    cases: Sequence[Case], *, known: Known = frozenset()
) -> tuple[list[Case], list[Finding]]:
    """The cases that can be measured, and the others with the reasons against each."""
    dropped = []
    for finding in audit(cases, known=known):
        if reasons := tuple(name for name in finding.anomalies if is_degenerate(name)):
            dropped.append(Finding(finding.case, reasons))
    out = {finding.case.id for finding in dropped}
    return [case for case in cases if case.id not in out], dropped


def known_facts(cases: Iterable[Case]) -> frozenset[tuple[str, str, str]]:
    """The triples that the cases take to be true before any edit."""
    return frozenset(triple for case in cases for triple in _stated(case))


def _stated(case: Case) -> Iterator[tuple[str, str, str]]:
    for fact in case.triples:
        yield fact.subject.id, fact.relation.id, fact.object.id
    for entity in case.true_objects:
        yield case.first.subject.id, case.first.relation.id, entity.id
