"""Plans: the states that a case needs, each a sequence of steps, and what to read in each."""

from dataclasses import dataclass
from typing import TypeAlias

from pitfalls.errors import PitfallsError
from pitfalls.facts import Edit, Fact
from pitfalls.vocabulary import ReadingKind, StateName

Step: TypeAlias = tuple[Edit, ...]
"""Edits made together."""
State: TypeAlias = tuple[Step, ...]
"""Steps made one after the other, starting from the unedited model."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A fact to ask for after each prompt of its relation."""

    name: str
    """Name of the fact's part in its case, unique in a state; `KIND_WORDS` has it in words."""
    fact: Fact
    reads: ReadingKind = "logprobs"
    """The answer: how probable the fact's object is, or the text that the model writes."""

    @property
    def prompts(self) -> tuple[str, ...]:
        """The prompts with the subject filled in, the rewrite prompt first."""
        subject = self.fact.subject.label
        return tuple(template.format(subject) for template in self.fact.relation.prompts)

    @property
    def target(self) -> str:
        """The fact's object as text, without the space that goes before it."""
        return self.fact.object.label


@dataclass(frozen=True, slots=True)
class Plan:
    """The states a case needs and, under the same names, the probes to read in each.

    The names are the kind's own. Readings are stored in the order of the states.

    Raises:
        PitfallsError: no states, or probes for a state that the plan does not name.
    """

    states: dict[StateName, State]
    probes: dict[StateName, tuple[Probe, ...]]

    def __post_init__(self) -> None:
        """Refuse a plan that cannot be carried out."""
        if not self.states:
            raise PitfallsError("a plan names no states, expected at least one")
        if lost := [name for name in self.probes if name not in self.states]:
            raise PitfallsError(
                f"a plan has probes for {', '.join(lost)}, expected its states "
                f"{', '.join(self.states)}"
            )

    @property
    def unedited(self) -> tuple[StateName, ...]:
        """Names of the states that no edit leads to."""
        return tuple(name for name, state in self.states.items() if not state)

    @property
    def edited(self) -> tuple[StateName, ...]:
        """Names of the states behind at least one edit."""
        return tuple(name for name, state in self.states.items() if state)

    @property
    def every_probe(self) -> dict[str, Probe]:
        """Name → probe, whatever the state it is read in."""
        return {probe.name: probe for read in self.probes.values() for probe in read}

    @property
    def subjects(self) -> frozenset[str]:
        """Ids of all subjects that are edited or read about in any state."""
        steps = (step for state in self.states.values() for step in state)
        edited = (edit.subject.id for step in steps for edit in step)
        read = (probe.fact.subject.id for probes in self.probes.values() for probe in probes)
        return frozenset((*edited, *read))
