"""Vocabulary shared by plans, records, metrics and reports."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import AfterValidator

from pitfalls.door.text import shortened

StateName: TypeAlias = str
"""Name that the plan of a kind gives to one of its states, such as `theta_m`."""

Preset: TypeAlias = Literal["authors", "clean"]
"""`authors`: the arithmetic of the published code. `clean`: the definitions of the paper."""

ReadingKind: TypeAlias = Literal["logprobs", "text"]
"""`logprobs`: log-probabilities of a target. `text`: what the model writes after a prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KindWords:
    """How the rooms that know no plan speak of one kind of case."""

    data_set: str | None = None
    """Name of its data set on the command line, `GROUP/NAME`; None: its cases come from files."""
    word: str
    """Name of the kind in a sentence."""
    explained: str
    """The edits of a case, in a few words."""
    probes: Mapping[str, str] = field(default_factory=dict)
    """Name of a probe → what its fact is to the case, in words."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Second name under which a metric may read a probe → the probe."""
    taught: str | None = None
    """Probe of what the last edit teaches; None if the plan reads none."""
    rivals: tuple[str, str] | None = None
    """Probes of the first edit's true object and of the object that it puts in its place; None if
    the plan does not read both."""
    unedited: StateName = "theta0"
    """State that no edit leads to."""
    several: bool = False
    """Whether a case is about all true objects of one fact. Only then does Multi-Label Edit differ
    from a plain edit, and only then must the relation allow several objects."""


_CONFLICT_PROBES = {
    "old": "what e1 says",
    "new": "what e2 says",
    "new_explicit": "what e2 says",
    "new_implicit": "what follows from e2",
    "true": "the true object",
    "tied": "the tied fact",
}
_ROUND_PROBES = {
    "original": "o1, the edited object",
    "intermediate": "o*, the object between",
    "other/": "another true object",
}

KIND_WORDS: dict[str, KindWords] = {
    "coverage": KindWords(
        data_set="conflict/coverage",
        word="coverage",
        explained="one fact, edited twice",
        probes=_CONFLICT_PROBES,
        # Both edits word the same (s, r), so explicit and implicit are one.
        aliases={"new": "new_explicit"},
        taught="new_explicit",
        rivals=("true", "old"),
    ),
    "reverse": KindWords(
        data_set="conflict/reverse",
        word="reverse",
        explained="a fact, then its inverse",
        probes=_CONFLICT_PROBES,
        taught="new_explicit",
    ),
    "composite": KindWords(
        data_set="conflict/composite",
        word="composite",
        explained="a fact, then another that implies it by way of a third",
        probes=_CONFLICT_PROBES,
        taught="new_explicit",
    ),
    "round-easy": KindWords(
        data_set="round/easy",
        word="easy",
        explained="an edit and its way back, of an object that is like the other true ones",
        probes=_ROUND_PROBES,
        taught="original",
        rivals=("original", "intermediate"),
        several=True,
    ),
    "round-hard": KindWords(
        data_set="round/hard",
        word="hard",
        explained="an edit and its way back, of an object that is unlike the other true ones",
        probes=_ROUND_PROBES,
        taught="original",
        rivals=("original", "intermediate"),
        several=True,
    ),
}
"""Kind of case → its words, in the order of the paper's tables."""


def _known_kind(name: str) -> str:
    if name not in KIND_WORDS:
        *others, last = map(repr, KIND_WORDS)
        raise ValueError(f"should be {', '.join(others)} or {last}, got {shortened(repr(name))}")
    return name


CaseKind: TypeAlias = Annotated[str, AfterValidator(_known_kind)]
"""Name of a row of `KIND_WORDS`; a file or a setting that names another is refused."""

CASE_KINDS: tuple[CaseKind, ...] = tuple(KIND_WORDS)
ROUND_KINDS: tuple[CaseKind, ...] = tuple(k for k, words in KIND_WORDS.items() if words.several)
STATES: tuple[StateName, ...] = ("theta0", "theta_m", "theta_prime", "theta2")
"""States of the paper's plans: θ0 unedited, θm after e1, θ' after e1 and e2, θ2 after e2 alone."""
PRESETS: tuple[Preset, ...] = get_args(Preset)

DATASETS: dict[str, CaseKind] = {
    words.data_set: kind for kind, words in KIND_WORDS.items() if words.data_set is not None
}
"""Name of a data set on the command line → its kind of case."""
