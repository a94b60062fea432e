"""Rules as text: files that a person can read and edit, and rules in words."""

from collections.abc import Iterable, Mapping, Sequence
from math import nan
from pathlib import Path
from typing import Any

from pitfalls.disk import write_bytes
from pitfalls.door.text import Source, read_text
from pitfalls.errors import PitfallsError
from pitfalls.graph.graph import Predicate
from pitfalls.rules.limits import MinedRule
from pitfalls.rules.rule import Rule
from pitfalls.rules.table import parse_rule

COLUMNS = ("rule", "words", "support", "head coverage", "confidence", "PCA confidence", "but not")
PCA = COLUMNS.index("PCA confidence")
_LEAST = 0.001
"""Weight of a rule whose confidence is 0 to the digits in the file."""


def rule_in_words(rule: Rule, relations: Mapping[str, Predicate]) -> str:
    """`child(x, y) ∧ mother(y, z) → spouse(x, z)`, by the labels of the relations."""
    return rule.words(lambda id: relations[id].relation.label)


def rule_row(
    mined: MinedRule, counterexample: Sequence[str], relations: Mapping[str, Predicate]
) -> tuple[str, ...]:
    """A rule, its measures and a counterexample, in the order of `COLUMNS`."""
    measures = (mined.head_coverage, mined.confidence, mined.pca_confidence)
    words = rule_in_words(mined.rule, relations)
    told = " ".join(", ".join(counterexample).split())
    return str(mined.rule), words, str(mined.support), *(f"{each:.3f}" for each in measures), told


def rule_as_json(
    mined: MinedRule, counterexample: Sequence[str], relations: Mapping[str, Predicate]
) -> dict[str, Any]:
    """A rule, its measures with all digits and a counterexample, as JSON values."""
    return {
        "rule": str(mined.rule),
        "sort": mined.sort,
        "words": rule_in_words(mined.rule, relations),
        "support": mined.support,
        "head_coverage": mined.head_coverage,
        "confidence": mined.confidence,
        "pca_confidence": mined.pca_confidence,
        "declared": mined.declared,
        "counterexample": list(counterexample),
    }


def write_rules(path: Path, rows: Iterable[Sequence[str]]) -> None:
    """Write rules as a table with tabs, one per line, for `read_rules`.

    Args:
        path: the file.
        rows: results of `rule_row`.

    Raises:
        PitfallsError: the file cannot be written.
    """
    rows = [COLUMNS, *rows]
    text = "".join("\t".join(row) + "\n" for row in rows)
    write_bytes(path, text.encode("utf-8"))


def read_rules(source: Source) -> dict[Rule, float]:
    """Read the rules in the first column of a file, and their weights; # starts a comment.

    The weight is the PCA confidence if the file has that column, as `write_rules` makes it, else 1.

    Raises:
        PitfallsError: unreadable, no rules, an invalid rule, or an invalid confidence.
    """
    rules: dict[Rule, float] = {}
    for number, line in enumerate(read_text(source).splitlines(), start=1):
        cells = line.split("\t")
        text = cells[0].strip()
        if not text or text.startswith("#") or (number == 1 and text == COLUMNS[0]):
            continue
        try:
            rules.setdefault(parse_rule(text), _weight(cells))
        except PitfallsError as error:
            raise PitfallsError(f"{source}: line {number}: {error}") from None
    if not rules:
        raise PitfallsError(f"{source}: has no rules, expected lines like P22>P40")
    return rules


def _weight(cells: Sequence[str]) -> float:
    if len(cells) <= PCA:
        return 1.0
    try:
        weight = float(cells[PCA])
    except ValueError:
        weight = nan
    if not 0 <= weight <= 1:
        raise PitfallsError(f"PCA confidence {cells[PCA]!r}, expected a number from 0 to 1")
    return max(weight, _LEAST)
