"""A kind of rule that only tests know, and a kind of case that is built from it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from pitfalls.cases.case import Case
from pitfalls.cases.drafts import Draft, edit
from pitfalls.cases.kinds.kind import Kind, Recipe
from pitfalls.cases.kinds.pair import can_conflict
from pitfalls.cases.order import Materials, bodies, relations_of_rules
from pitfalls.cases.steps import Plan, Probe
from pitfalls.facts import Fact
from pitfalls.graph.graph import Graph
from pitfalls.rules.joins import inverse_counts, wrong_inverses
from pitfalls.rules.mine import Join
from pitfalls.rules.rule import Rule
from pitfalls.vocabulary import KindWords


@dataclass(frozen=True, slots=True)
class MirrorRule(Rule):
    """`P26~P26`: r(s, o) ↔ r(o, s)."""

    sorts: ClassVar[tuple[str, ...]] = ("mirror",)
    example: ClassVar[str] = "P26~P26"
    mark: ClassVar[str] = "~"

    body: str
    head: str

    def __str__(self) -> str:
        return f"{self.body}~{self.head}"

    @classmethod
    def parse(cls, text: str) -> "MirrorRule | None":
        body, tilde, head = text.partition("~")
        return cls(body, head) if tilde and body and body == head else None

    @property
    def relations(self) -> tuple[str, ...]:
        return (self.body,)

    def instances(self, graph: Graph) -> Iterator[tuple[Fact, ...]]:
        if self.body not in graph.predicates:
            return
        for fact in graph.facts_of(graph.relation(self.body)):
            if (turned := Fact(fact.object, fact.relation, fact.subject)) in graph:
                yield fact, turned

    def words(self, label: Callable[[str], str]) -> str:
        return f"{label(self.body)}(x, y) ↔ {label(self.body)}(y, x)"

    def wrong(self, facts: Callable[[str], Any]) -> Any:
        return wrong_inverses(facts(self.body), facts(self.head))


def _mirror_counts(facts: Any) -> Any:
    found = inverse_counts(facts)
    return found.filter(found["body"] == found["head"])


MIRROR_JOIN = Join(_mirror_counts)


def plan_echo(case: Case, multi_label: bool) -> Plan:
    """One edit. Does the model say it the other way round as well?"""
    del multi_label
    (one,) = case.edits
    turned = Fact(one.new_object, one.relation, one.subject)
    states = {"start": (), "edited": ((one,),)}
    probes = Probe("said", one.after), Probe("turned", turned)
    return Plan(states, dict.fromkeys(states, probes))


def echo_drafts(materials: Materials) -> Iterator[Draft]:
    for rule in materials.rules(MirrorRule):
        for body, head in rule.instances(materials.graph):
            if can_conflict(materials, rule.head, body, head):
                yield Draft(str(rule), body, (body, head))


def echo_case(draft: Draft, materials: Materials) -> Case | None:
    new = materials.targets.draw(draft.edited, materials.kind, "e1", draft.key)
    if new is None:
        return materials.drop("no new object is left to draw")
    edits = (edit(draft.edited, new),)
    return Case(draft.key, materials.kind, edits, rule=draft.stratum, triples=draft.facts)


ECHO = Kind(
    plan=plan_echo,
    recipe=Recipe(
        drafts=echo_drafts,
        finish=echo_case,
        subjects=lambda order: bodies(order, MirrorRule),
        needs=relations_of_rules,
        takes_rules=True,
    ),
)
ECHO_WORDS = KindWords(word="echo", explained="one edit", unedited="start", taught="said")
