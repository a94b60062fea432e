"""A case: one little experiment, a pair of edits and the facts around them that may break."""

from dataclasses import dataclass

from pitfalls.facts import Edit, Entity, Fact
from pitfalls.vocabulary import CaseKind


@dataclass(frozen=True, slots=True)
class Case:
    """Two edits made one after the other, and what the metrics need to know beside them."""

    id: str
    """Unique within its data set and stable between runs, e.g. `reverse-00017`."""
    kind: CaseKind
    first: Edit
    """e1. In a round trip it goes from the true o1 to the intermediate o*."""
    second: Edit
    """e2, made on top of e1. In a round trip it goes back from o* to o1."""
    rule: str | None = None
    """The logical rule behind the pair, `P22>P40` or `P40&P25>P26`; None for coverage and round."""
    triples: tuple[Fact, ...] = ()
    """The facts before the edits: the rule's body and head, the tied fact first if there is one."""
    tied: Fact | None = None
    """k_f, the fact that ties the two edits of a composite case together (paper Eq. 4)."""
    true_objects: tuple[Entity, ...] = ()
    """Obj, every true object of (s, r), the round trip's o1 included; empty for conflict kinds."""

    @property
    def other_objects(self) -> tuple[Entity, ...]:
        """Obj without o1, in file order.

        Only the first entity that carries o1's label is taken out, as the authors' code does; a
        second one of the same label stays among the others (the audit counts such cases).
        """
        labels = [entity.label for entity in self.true_objects]
        if (label := self.second.new_object.label) not in labels:
            return self.true_objects
        position = labels.index(label)
        return self.true_objects[:position] + self.true_objects[position + 1 :]
