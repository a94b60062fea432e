"""Building cases from a graph: spread evenly, drawn by a seed, the same to the byte every time."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from pitfalls.cases.case import Case
from pitfalls.cases.drafts import (
    Draft,
    Drafts,
    Finish,
    composite_case,
    composite_drafts,
    coverage_case,
    coverage_drafts,
    reverse_case,
    reverse_drafts,
)
from pitfalls.cases.drawing import Dice, Targets
from pitfalls.cases.round_trips import round_case, round_drafts
from pitfalls.errors import PitfallsError
from pitfalls.graph.graph import Graph
from pitfalls.vocabulary import CaseKind

RECIPES: dict[CaseKind, tuple[Drafts, Finish]] = {
    "coverage": (coverage_drafts, coverage_case),
    "reverse": (reverse_drafts, reverse_case),
    "composite": (composite_drafts, composite_case),
    "round-easy": (round_drafts, round_case),
    "round-hard": (round_drafts, round_case),
}
"""Case kind → what lists its drafts and what finishes one."""


def build_cases(graph: Graph, kind: CaseKind, *, count: int, seed: int = 0) -> list[Case]:
    """`count` cases of a kind.

    They are taken in turn from every rule (reverse, composite), relation (coverage) or relation and
    number of true objects (round), so that the first part of the list is spread as evenly as the
    whole; what runs dry is made up for by the others. Within each, the first edit comes back to a
    subject only when all other subjects had their turn. No case is degenerate (see the audit).

    Raises:
        PitfallsError: the graph does not allow so many; the line says how many it allows.
    """
    if count < 1:
        raise PitfallsError(f"the number of cases is {count}, expected at least 1")
    cases: list[Case] = []
    for case in _in_turn(_by_stratum(graph, kind, seed)):
        cases.append(replace(case, id=f"{kind}-{len(cases):05d}"))
        if len(cases) == count:
            return cases
    raise PitfallsError(
        f"the graph allows {len(cases)} {kind} cases, asked for {count}: ask for fewer, "
        "or take a graph with more facts"
    )


def _by_stratum(graph: Graph, kind: CaseKind, seed: int) -> list[Iterator[Case]]:
    """For every stratum its cases in the order of the draw, each made when it is asked for."""
    list_drafts, finish = RECIPES[kind]
    dice = Dice(seed)
    targets = Targets.of(graph, dice)
    strata: dict[str, list[Draft]] = {}
    for draft in list_drafts(graph, kind, dice):
        strata.setdefault(draft.stratum, []).append(draft)

    def cases(drafts: list[Draft]) -> Iterator[Case]:
        for draft in _shuffled(drafts, kind, dice):
            if (case := finish(draft, kind, targets)) is not None:
                yield case

    return [cases(strata[name]) for name in sorted(strata)]


def _shuffled(drafts: list[Draft], kind: CaseKind, dice: Dice) -> list[Draft]:
    """The drafts in the order of the draw, but nobody's second turn before everyone's first."""
    drawn = sorted(drafts, key=lambda draft: (dice.roll(kind, draft.stratum, draft.key), draft.key))
    turns: Counter[str] = Counter()
    order: list[tuple[int, int]] = []
    for position, draft in enumerate(drawn):
        subject = draft.edited.subject.id
        order.append((turns[subject], position))
        turns[subject] += 1
    return [drawn[position] for _, position in sorted(order)]


def _in_turn(queues: list[Iterator[Case]]) -> Iterator[Case]:
    """One case from every queue that still has one, again and again."""
    while queues:
        still = []
        for queue in queues:
            if (case := next(queue, None)) is not None:
                still.append(queue)
                yield case
        queues = still
