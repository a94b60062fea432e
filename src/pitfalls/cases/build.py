"""Building cases from a graph: spread evenly, drawn by a seed, the same to the byte every time."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeAlias

from pitfalls.cases.case import Case
from pitfalls.cases.drafts import Draft
from pitfalls.cases.drawing import Dice
from pitfalls.cases.kinds.kind import Recipe
from pitfalls.cases.kinds.table import recipe_of
from pitfalls.cases.order import Materials, Order, Reason
from pitfalls.cases.plan import plan
from pitfalls.errors import PitfallsError
from pitfalls.graph.graph import Graph
from pitfalls.vocabulary import KIND_WORDS, CaseKind


@dataclass(frozen=True, slots=True)
class Built:
    """Cases, and what became of every candidate that is none."""

    cases: tuple[Case, ...]
    dropped: Counter[Reason]
    """Candidates that could not be used, by reason."""
    unused: int
    """Candidates that were not needed: the count was reached before their turn."""


Knows: TypeAlias = Callable[[Sequence[Case]], list[bool]]
"""Which of some cases rest on a fact that a model knows."""
AT_ONCE = 32
"""Cases that are judged together, where a model judges them."""


def build(graph: Graph, order: Order, *, knows: Knows | None = None) -> Built:
    """The cases that were ordered.

    They are taken in turn from every rule (reverse, composite), relation (coverage) or relation and
    number of true objects (round), so that the first part of the list is spread like the whole; a
    rule of less weight has its turn less often, and what runs dry is made up for by the others.
    Within each, the first edit comes back to a subject only when all other subjects had their
    turn. No case is degenerate (see the audit).

    Args:
        graph: where they come from.
        order: what they are.
        knows: keeps the cases that it says yes to; None keeps all.

    Raises:
        PitfallsError: no recipe makes such cases, or the graph does not allow so many; the line
            says how many it allows.
    """
    recipe = recipe_of(order.kind)
    materials = Materials.of(graph, order)
    strata = _strata(recipe, materials)
    ledger = Ledger(materials)

    def cases_of(drafts: list[Draft]) -> Iterator[Case]:
        waiting = iter(_shuffled(drafts, order.kind, materials.dice))
        while block := list(islice(waiting, AT_ONCE if knows else 1)):
            made = [
                case for draft in block if (case := recipe.finish(draft, materials)) is not None
            ]
            for case, known in zip(made, knows(made) if knows else [True] * len(made), strict=True):
                if not known:
                    materials.drop("the model does not know the tied fact")
                elif order.avoid and order.avoid & plan(case).subjects:
                    materials.drop("a case to leave out is about its subject")
                elif ledger.takes(case):
                    yield case

    weights = {str(rule): weight for rule, weight in order.weights.items()}
    queues = {name: cases_of(strata[name]) for name in sorted(strata)}
    cases = tuple(islice(_in_turn(queues, weights), order.count))
    if len(cases) < order.count:
        raise PitfallsError(
            f"the graph allows {len(cases)} {order.kind} cases, asked for {order.count}: "
            f"{_remedy(materials) or 'ask for fewer, or take a graph with more facts'}"
            f"{_why(materials)}"
        )
    total = sum(map(len, strata.values()))
    finished = len(cases) + sum(materials.dropped[reason] for reason in LATE_REASONS)
    numbered = (replace(case, id=f"{order.kind}-{n:05d}") for n, case in enumerate(cases))
    return Built(tuple(numbered), materials.dropped, total - finished)


def _strata(recipe: Recipe, materials: Materials) -> dict[str, list[Draft]]:
    """Rule or relation → its drafts."""
    strata: dict[str, list[Draft]] = {}
    for draft in recipe.drafts(materials):
        strata.setdefault(draft.stratum, []).append(draft)
    return strata


def needed_relations(order: Order) -> frozenset[str] | None:
    """Ids of the relations whose facts decide the cases; None: all of the graph.

    Raises:
        PitfallsError: no recipe makes such cases.
    """
    return recipe_of(order.kind).needs(order)


def build_cases(graph: Graph, kind: CaseKind, *, count: int, seed: int = 0) -> list[Case]:
    """`count` cases of a kind by the paper's rules and relations; see `build`.

    Raises:
        PitfallsError: the graph does not allow so many; the line says how many it allows.
    """
    return list(build(graph, Order(kind=kind, count=count, seed=seed)).cases)


LATE_REASONS: tuple[Reason, ...] = (
    "no new object is left to draw",
    "another case edits the same otherwise",
    "the model does not know the tied fact",
    "a case to leave out is about its subject",
)
"""Why a draft was given up when its turn had come."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Edits of the cases so far, for an order that wants them consistent."""

    materials: Materials
    edited: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    """(subject, relation) → its new objects in the order of the edits."""

    def takes(self, case: Case) -> bool:
        """Whether the case agrees with all before it; it is written down if it does."""
        if not self.materials.order.consistent:
            return True
        wanted: dict[tuple[str, str], tuple[str, ...]] = {}
        for edit in case.edits:
            key = (edit.subject.id, edit.relation.id)
            wanted[key] = (*wanted.get(key, ()), edit.new_object.id)
        if any(self.edited.get(key, news) != news for key, news in wanted.items()):
            self.materials.drop("another case edits the same otherwise")
            return False
        self.edited.update(wanted)
        return True


def _remedy(materials: Materials) -> str:
    """Advice where the graph has no facts of any relation that the order is about."""
    order, graph = materials.order, materials.graph
    recipe = recipe_of(order.kind)
    asked = recipe.subjects(order)
    if any(materials.facts_of(id) for id in asked):
        return ""
    missing = f"it has no facts of {' '.join(asked)}, which these cases are about"
    if recipe.takes_rules:
        return f"{missing}; give other --rules: `pitfalls rules mine` finds them"
    rounds = KIND_WORDS[order.kind].several
    sizes = {id: len(graph.facts_of(each.relation)) for id, each in graph.predicates.items()}
    fit = [id for id in sizes if sizes[id] and (not rounds or _has_several(graph, id))]
    best = sorted(fit, key=lambda id: (-sizes[id], id))[:_SHOWN]
    return f"{missing}; give --relation, such as {' '.join(best) or 'one of your own'}"


_SHOWN = 5
"""Relations that a refusal proposes."""


def _has_several(graph: Graph, id: str) -> bool:
    counts = Counter(fact.subject.id for fact in graph.facts_of(graph.relation(id)))
    return any(count > 1 for count in counts.values())


def _why(materials: Materials) -> str:
    """The commonest reason against a candidate, if there was one."""
    (worst,) = materials.dropped.most_common(1) or ((None, 0),)
    return f" ({worst[1]} candidates dropped: {worst[0]})" if worst[0] else ""


def _shuffled(drafts: list[Draft], kind: CaseKind, dice: Dice) -> list[Draft]:
    """The drafts in drawn order; no subject has its second turn before all had their first."""
    drawn = sorted(drafts, key=lambda draft: (dice.roll(kind, draft.stratum, draft.key), draft.key))
    turns: Counter[str] = Counter()
    order: list[tuple[int, int]] = []
    for position, draft in enumerate(drawn):
        subject = draft.edited.subject.id
        order.append((turns[subject], position))
        turns[subject] += 1
    return [drawn[position] for _, position in sorted(order)]


def _in_turn(queues: dict[str, Iterator[Case]], weights: Mapping[str, float]) -> Iterator[Case]:
    """Cases of all queues that still have some, of each as many as its weight, 1 if it has none."""
    taken = Counter[str]()
    while queues:
        name = min(queues, key=lambda each: (taken[each] + 1) / weights.get(each, 1.0))
        if (case := next(queues[name], None)) is None:
            del queues[name]
        else:
            taken[name] += 1
            yield case
