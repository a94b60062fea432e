"""The builder's order, its materials, and its book of candidates that it could not use."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypeVar

from pitfalls.cases.case import Case
from pitfalls.cases.drawing import Dice, Targets
from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.facts import Fact
from pitfalls.graph.graph import Graph
from pitfalls.rules.paper import COMPOSITE_RULES, REVERSE_RULES
from pitfalls.rules.rule import Rule
from pitfalls.rules.traits import Traits, traits
from pitfalls.settings import Count, Seed, Settings
from pitfalls.vocabulary import KIND_WORDS, CaseKind

PAPER_RULES: tuple[Rule, ...] = (*REVERSE_RULES, *COMPOSITE_RULES)
"""The paper's four inverse rules and seven compositions."""

Reason: TypeAlias = Literal[
    "an end has no name",
    "an end comes up twice",
    "its relation allows several objects",
    "its facts held at different times",
    "two true objects share a name",
    "too many true objects",
    "no true object stands out",
    "a pair for the other kind of round trip",
    "no new object is left to draw",
    "another case edits the same otherwise",
    "the model does not know the tied fact",
    "a case to leave out is about its subject",
]
"""Why a candidate did not become a case."""
_Rule = TypeVar("_Rule", bound=Rule)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(Settings):
    """Which cases are wanted."""

    kind: CaseKind
    count: Count
    seed: Seed = 0
    rules: tuple[Rule, ...] = PAPER_RULES
    """Rules that cases are made by; they also name the relations, where none are given."""
    weights: Mapping[Rule, float] = field(default_factory=dict, hash=False)
    """How often a rule has its turn, so that a mined one counts as far as it can be trusted; 1 for
    a rule that is not named."""
    relations: tuple[str, ...] = ()
    """Relations of coverage cases and round trips. None: the paper's with the paper's rules; else
    those that the rules speak of, and for round trips all that the graph shows to be 1-to-n."""
    exclusive: bool = False
    """Only conflicts in a relation that allows one object at a time."""
    consistent: bool = False
    """No two cases edit the same subject and relation to different objects."""
    avoid: frozenset[str] = frozenset()
    """Ids of entities that no case may edit or read about as a subject."""

    def __post_init__(self) -> None:
        Settings.__post_init__(self)
        if self.exclusive and KIND_WORDS[self.kind].several:
            raise PitfallsError(
                "exclusive round trips do not exist: they are about relations of several objects; "
                "leave --exclusive out"
            )


def bodies(order: Order, kind: type[Rule]) -> tuple[str, ...]:
    """The relations that the bodies of the order's rules of one kind are about."""
    return tuple(dict.fromkeys(each.body for each in order.rules if isinstance(each, kind)))


def relations_of_rules(order: Order) -> frozenset[str]:
    """Every relation that some rule of the order speaks of."""
    return frozenset(id for rule in order.rules for id in rule.relations)


@dataclass(frozen=True, slots=True)
class Materials:
    """All that a recipe needs to list its drafts and to finish them."""

    graph: Graph
    order: Order
    dice: Dice
    targets: Targets
    traits: Mapping[str, Traits]
    dropped: Counter[Reason] = field(default_factory=Counter)

    @classmethod
    def of(cls, graph: Graph, order: Order) -> "Materials":
        """The materials that the graph offers for the order.

        Raises:
            UnknownNameError: the graph lacks a relation that was asked for by name.
        """
        for id in order.relations:
            if id not in graph.predicates:
                raise UnknownNameError("relation of the graph", id, graph.predicates)
        dice = Dice(order.seed)
        return cls(graph, order, dice, Targets.of(graph, dice), traits(graph))

    @property
    def kind(self) -> CaseKind:
        """The kind of case that is being built."""
        return self.order.kind

    def drop(self, reason: Reason) -> Case | None:
        """Write a candidate off; always None."""
        self.dropped[reason] += 1
        return None

    def excludes(self, relation: str) -> bool:
        """Whether a second object under the relation contradicts the first, if that is asked for.

        What somebody knows of the relation counts for more than what its facts look like: in a
        graph with gaps, advisors with several students may look as if they had one each. A relation
        that is known to have one object must not look like the contrary here.
        """
        if not self.order.exclusive:
            return True
        found, many = self.traits[relation], self.graph.predicates[relation].many
        return found.functional if many is None else not (many or found.many)

    def rules(
        self, kind: type[_Rule], suits: Callable[[_Rule], bool] = lambda rule: True
    ) -> list[_Rule]:
        """The order's rules of one kind that suit the cases.

        Raises:
            PitfallsError: there is none.
        """
        found = [rule for rule in self.order.rules if isinstance(rule, kind) and suits(rule)]
        if not found:
            like = f"give one of the form {kind.example!r}"
            raise PitfallsError(f"no rule for {self.kind} cases: {like}")
        return found

    def facts_of(self, id: str) -> tuple[Fact, ...]:
        """The relation's facts; none if the graph does not know the relation."""
        if id not in self.graph.predicates:
            return ()
        return self.graph.facts_of(self.graph.relation(id))
