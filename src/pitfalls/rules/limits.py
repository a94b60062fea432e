"""Mined rules with their measures, and the limits that they must keep."""

from dataclasses import dataclass
from math import sqrt

from pitfalls.rules.rule import Rule
from pitfalls.settings import Count, Fraction, NonNegative, Settings


@dataclass(frozen=True, slots=True)
class MinedRule:
    """A rule and its measures. Only instances with distinct entities count."""

    rule: Rule
    support: int
    """Pairs (x, z) for which body and head hold: correct predictions head(x, z)."""
    pairs: int
    """Pairs for which the body holds: all predictions of the rule."""
    known: int
    """Predictions that the graph can judge under PCA: those whose x has some head(x, ·)."""
    head_facts: int
    """Facts of the head's relation."""
    declared: bool = False
    """Whether the relations are declared inverses of each other, whatever the facts say."""

    @property
    def sort(self) -> str:
        """Kind of the rule, or the special case that it is."""
        return self.rule.sort

    @property
    def head_coverage(self) -> float:
        """Support / facts of the head: the share of them that the rule explains."""
        return self.support / self.head_facts

    @property
    def confidence(self) -> float:
        """Support / pairs, which counts facts missing from the graph as false."""
        return self.support / self.pairs

    @property
    def pca_confidence(self) -> float:
        """Support / known, under the partial completeness assumption (PCA).

        PCA: the graph has either all or none of a subject's facts of the head's relation.
        """
        return self.support / self.known

    @property
    def weight(self) -> float:
        """PCA confidence · √support, the ranking score: good rules are correct and frequent."""
        return self.pca_confidence * sqrt(self.support)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits(Settings):
    """Thresholds for mined rules, and the time limit.

    By default a rule must be right more often than wrong where the graph can judge it. Of the
    paper's eleven rules, in a Wikidata graph of 373,401 facts, the lowest PCA confidence is 0.59
    (father ∧ child → sibling) and the lowest confidence, because of gaps in the graph, is 0.15
    (notable work → creator).
    """

    support: Count = 20
    head_coverage: Fraction = 0.01
    confidence: Fraction = 0.1
    pca_confidence: Fraction = 0.5
    seconds: NonNegative | None = None
    """Time limit, applied even in the middle of a relation; None: no limit."""

    def allow(self, mined: MinedRule) -> bool:
        """Whether the rule meets all thresholds; declared rules need no confidence."""
        right = mined.confidence >= self.confidence and mined.pca_confidence >= self.pca_confidence
        return (
            mined.support >= self.support
            and mined.head_coverage >= self.head_coverage
            and (right or mined.declared)
        )
