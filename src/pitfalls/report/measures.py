"""The questions that the page's first screen answers, and how an answer reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pitfalls.metrics.scores import Score
from pitfalls.metrics.table import METRICS
from pitfalls.vocabulary import KIND_WORDS, CaseKind


@dataclass(frozen=True, slots=True)
class Measure:
    """One of the questions that the first screen answers, and how an answer reads."""

    name: str
    title: str
    explained: str
    metrics: Mapping[CaseKind, str]
    """The metric that answers it for each kind of case; all of them are shares."""
    increasing: bool
    """Whether a larger share is better."""
    claim: str
    """Begins the sentence."""
    counted: str
    """Things that are counted, behind "most of the" and before the kinds of case."""
    question: str
    """Stands behind "too few cases to tell"."""

    def reads(self, one: Score) -> bool:
        """Whether the score answers this question."""
        return self.metrics.get(one.kind) == one.metric


EDITS = Measure(
    name="edits",
    title="Edit success",
    explained="Share of edits that make their object the more probable one; more is better.",
    metrics={"coverage": "succ_single"},
    increasing=True,
    claim="Single edits take in",
    counted="",
    question="whether single edits take",
)
ROUND_EDITS = Measure(
    name="edits",
    title="Edit success",
    explained="Share of the edits of a round trip that make their object the more probable one; "
    "more is better, and `undo` shows what a perfect restoration gets.",
    metrics={"round-easy": "succ_round", "round-hard": "succ_round"},
    increasing=True,
    claim="Edits out and back take in",
    counted="",
    question="whether edits out and back take",
)
CONFLICT = Measure(
    name="conflict",
    title="Conflict",
    explained="Share of cases in which, after two edits that contradict each other, what follows "
    "from the newer one is more probable than what the older one says; more is better.",
    metrics={"coverage": "cs", "reverse": "cs_imp", "composite": "cs_imp"},
    increasing=True,
    claim="The newer edit wins in",
    counted="",
    question="whether the newer edit wins",
)
DISTORTION = Measure(
    name="distortion",
    title="Distortion",
    explained="Share of the other true objects that are less probable after an edit and its way "
    "back; less is better, and chance alone would give one half.",
    metrics={"round-easy": "ir", "round-hard": "ir"},
    increasing=False,
    claim="A round trip lowers the probability of",
    counted="other true objects of ",
    question="how many of the other true objects lose probability",
)


def kind_word(kind: CaseKind) -> str:
    """Name of the kind in a sentence: `easy` for `round-easy`."""
    return KIND_WORDS[kind].word


def measures(scores: Sequence[Score]) -> tuple[Measure, ...]:
    """The measures that the scores answer.

    Whether edits take is read from single edits where there are any: a round trip's Succ is not
    100 for a perfect restoration.
    """
    edits = EDITS if any(map(EDITS.reads, scores)) else ROUND_EDITS
    return tuple(m for m in (edits, CONFLICT, DISTORTION) if any(map(m.reads, scores)))


def main_metrics() -> dict[CaseKind, str]:
    """Kind → the metric that speaks for a case of it; without a measure, its first metric does."""
    first = {kind: one.name for one in reversed(list(METRICS.values())) for kind in one.kinds}
    return {**first, **CONFLICT.metrics, **DISTORTION.metrics}
