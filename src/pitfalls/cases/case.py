"""A case: one experiment of any number of edits, and the facts around them that may break."""

from dataclasses import dataclass

from pitfalls.errors import PitfallsError
from pitfalls.facts import Edit, Entity, Fact
from pitfalls.vocabulary import CaseKind


@dataclass(frozen=True, slots=True)
class Case:
    """Some edits, and what the plan and the metrics of its kind need to know beside them.

    Raises:
        PitfallsError: no edits.
    """

    id: str
    """Unique within its data set and stable between runs, e.g. `reverse-00017`."""
    kind: CaseKind
    edits: tuple[Edit, ...]
    """e1, e2, …, at least one. The plan of the kind says which of them lead to which state."""
    rule: str | None = None
    """The logical rule behind the edits, such as `P40&P25>P26`; None if there is none."""
    triples: tuple[Fact, ...] = ()
    """The facts before the edits: the rule's body and head, the tied fact first if there is one."""
    tied: Fact | None = None
    """k_f, the fact that ties the two edits of a composite case together (paper Eq. 4)."""
    true_objects: tuple[Entity, ...] = ()
    """Obj, every true object of e1's (s, r), where the kind is about all of them; else empty."""

    def __post_init__(self) -> None:
        """Refuse a case without edits."""
        if not self.edits:
            raise PitfallsError(f"case {self.id} has no edits, expected at least one")

    @property
    def first(self) -> Edit:
        """e1."""
        return self.edits[0]

    @property
    def second(self) -> Edit:
        """e2 of a pair.

        Raises:
            PitfallsError: the case has one edit, or more than two.
        """
        if len(self.edits) != 2:
            raise PitfallsError(f"case {self.id} has {len(self.edits)} edits, expected a pair")
        return self.edits[1]
