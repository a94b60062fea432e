"""Drafts: the facts that a case may be made of, before it is decided which cases are made.

The recipe of a kind lists them. One that cannot be used is written off with a reason.
"""

from dataclasses import dataclass

from pitfalls.cases.drawing import is_bare_id
from pitfalls.cases.order import Materials
from pitfalls.facts import Edit, Entity, Fact


@dataclass(frozen=True, slots=True)
class Draft:
    """The facts that a case may be made of."""

    stratum: str
    """The rule or relation that the cases are spread over evenly."""
    edited: Fact
    """The fact that the first edit will replace."""
    facts: tuple[Fact, ...]
    """As in `Case.triples`; in a round trip the facts of all true objects."""

    @property
    def key(self) -> str:
        """Text that no other draft of its stratum has."""
        facts = (self.edited, *self.facts)
        return " ".join(f"{each.subject.id}>{each.object.id}" for each in facts)


def is_usable(materials: Materials, *facts: Fact) -> bool:
    """Whether edits can be made of the facts at all; if not, it is written down why."""
    if not all(map(named, facts)):
        materials.drop("an end has no name")
    elif any(fact.subject.id == fact.object.id for fact in facts):
        materials.drop("an end comes up twice")
    else:
        return True
    return False


def edit(old: Fact, new: Entity) -> Edit:
    """The edit that puts `new` in the place of the fact's object."""
    return Edit(old.subject, old.relation, new, old.object)


def named(fact: Fact) -> bool:
    """Whether both ends of the fact have a name."""
    return not is_bare_id(fact.subject.label) and not is_bare_id(fact.object.label)
