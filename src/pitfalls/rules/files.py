"""Rules as text: files that a person can read and cut, and rules told in words."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from pitfalls.disk import write_bytes
from pitfalls.door.text import Source, read_text
from pitfalls.errors import PitfallsError
from pitfalls.graph.graph import Predicate
from pitfalls.rules.mine import MinedRule
from pitfalls.rules.rule import CompositionRule, Rule, parse_rule

COLUMNS = ("rule", "words", "support", "head coverage", "confidence", "PCA confidence")


def rule_in_words(rule: Rule, relations: Mapping[str, Predicate]) -> str:
    """`child(x, y) ∧ mother(y, z) → spouse(x, z)`, by the labels of the relations."""

    def label(id: str) -> str:
        return relations[id].relation.label

    if isinstance(rule, CompositionRule):
        body = f"{label(rule.tied)}(x, y) ∧ {label(rule.body)}(y, z)"
        return f"{body} → {label(rule.head)}(x, z)"
    return f"{label(rule.body)}(x, y) → {label(rule.head)}(y, x)"


def rule_row(mined: MinedRule, relations: Mapping[str, Predicate]) -> tuple[str, ...]:
    """A rule and its measures, in the order of `COLUMNS`."""
    measures = (mined.head_coverage, mined.confidence, mined.pca_confidence)
    words = rule_in_words(mined.rule, relations)
    return str(mined.rule), words, str(mined.support), *(f"{each:.3f}" for each in measures)


def write_rules(path: Path, mined: Iterable[MinedRule], relations: Mapping[str, Predicate]) -> None:
    """Write rules as a table with tabs, one a line, which `read_rules` takes back.

    Raises:
        PitfallsError: the file cannot be written.
    """
    rows = [COLUMNS, *(rule_row(each, relations) for each in mined)]
    text = "".join("\t".join(row) + "\n" for row in rows)
    write_bytes(path, text.encode("utf-8"))


def read_rules(source: Source) -> tuple[Rule, ...]:
    """The rules in the first column of a file; lines that are empty or start with # say nothing.

    Raises:
        PitfallsError: unreadable, no rules, or a line that spells none.
    """
    rules = []
    for number, line in enumerate(read_text(source).splitlines(), start=1):
        text = line.split("\t")[0].strip()
        if not text or text.startswith("#") or (number == 1 and text == COLUMNS[0]):
            continue
        try:
            rules.append(parse_rule(text))
        except PitfallsError as error:
            raise PitfallsError(f"{source}: line {number}: {error}") from None
    if not rules:
        raise PitfallsError(f"{source}: has no rules, expected lines like P22>P40")
    return tuple(dict.fromkeys(rules))
