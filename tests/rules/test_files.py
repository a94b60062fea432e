"""Rules survive a round trip through a file, and a bad line is reported."""

from pathlib import Path

import pytest

from pitfalls.errors import PitfallsError
from pitfalls.graph.starter import starter_graph
from pitfalls.rules.limits import MinedRule
from pitfalls.rules.paper import COMPOSITE_RULES, REVERSE_RULES
from pitfalls.rules.rule_file import read_rules, rule_in_words, rule_row, write_rules
from pitfalls.rules.table import parse_rule


def test_rules_come_back(tmp_path: Path) -> None:
    rules = (*REVERSE_RULES, *COMPOSITE_RULES)
    file, relations = tmp_path / "rules.tsv", starter_graph().predicates
    mined = [MinedRule(rule, 3, 4, 4, 8) for rule in rules]
    write_rules(file, (rule_row(each, ("Ann", "Bob"), relations) for each in mined))
    assert read_rules(file) == dict.fromkeys(rules, 0.75)
    first = file.read_text("utf-8").splitlines()[1]
    assert first == "P22>P40\tfather(x, y) → child(y, x)\t3\t0.375\t0.750\t0.750\tAnn, Bob"


def test_a_rule_reads_like_logic() -> None:
    words = rule_in_words(parse_rule("P40&P25>P26"), starter_graph().predicates)
    assert words == "child(x, y) ∧ mother(y, z) → spouse(x, z)"


def test_a_hand_written_file_needs_rules_only(tmp_path: Path) -> None:
    file = tmp_path / "rules.txt"
    file.write_text("# mine\nP22>P40\n\nP40&P25>P26\nP22>P40\n", "utf-8")
    rules = [parse_rule("P22>P40"), parse_rule("P40&P25>P26")]
    assert list(read_rules(file).items()) == [(rules[0], 1.0), (rules[1], 1.0)]
    file.write_text("P22>P40\ta\tb\tc\td\t1.5\n", "utf-8")
    with pytest.raises(PitfallsError, match=r"line 1: PCA confidence '1.5', expected a number"):
        read_rules(file)
    file.write_text("P22>P40\nP22\n", "utf-8")
    with pytest.raises(PitfallsError, match=r"rules.txt: line 2: rule 'P22': expected the form"):
        read_rules(file)
    file.write_text("# none\n", "utf-8")
    with pytest.raises(PitfallsError, match="has no rules"):
        read_rules(file)
