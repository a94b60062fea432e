"""A kind of rule goes from a row in `RULE_KINDS` to a case, as CONTRIBUTING says."""

from pathlib import Path

import pytest
import test_rules
from mined_graphs import EVERYTHING, FAMILY, make
from own_rules import ECHO, ECHO_WORDS, MIRROR_JOIN, MirrorRule

from pitfalls.cases.build import build
from pitfalls.cases.case_file import read_cases
from pitfalls.cases.kinds.table import KINDS
from pitfalls.cases.order import Order
from pitfalls.cases.plan import plan
from pitfalls.cli.main import main
from pitfalls.errors import PitfallsError
from pitfalls.graph.starter import starter_graph
from pitfalls.rules.counterexamples import with_counterexamples
from pitfalls.rules.inverse import InverseRule
from pitfalls.rules.limits import MinedRule
from pitfalls.rules.mine import JOIN_OF, mine
from pitfalls.rules.rule_file import read_rules, rule_as_json, rule_row, write_rules
from pitfalls.rules.table import RULE_KINDS, parse_rule
from pitfalls.vocabulary import KIND_WORDS

RULE = MirrorRule("spouse", "spouse")


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows in the tables, and nothing else."""
    monkeypatch.setitem(RULE_KINDS, "mirror", MirrorRule)
    monkeypatch.setitem(KINDS, "echo", ECHO)
    monkeypatch.setitem(KIND_WORDS, "echo", ECHO_WORDS)


@pytest.fixture
def with_join(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(JOIN_OF, "mirror", MIRROR_JOIN)


def test_it_is_parsed_beside_the_others() -> None:
    assert parse_rule("P26~P26") == MirrorRule("P26", "P26")
    assert parse_rule("P22>P40") == InverseRule("P22", "P40")
    with pytest.raises(PitfallsError, match="'P22>P40', 'P40&P25>P26' or 'P26~P26'"):
        parse_rule("P22~P40")


def test_it_keeps_the_laws() -> None:
    test_rules.test_a_kind_says_what_its_rules_are("mirror")


def test_a_file_gives_it_back_with_its_words(tmp_path: Path) -> None:
    file, relations = tmp_path / "rules.tsv", starter_graph().predicates
    mined = MinedRule(MirrorRule("P26", "P26"), 3, 4, 4, 8)
    write_rules(file, [rule_row(mined, ("Ann", "Bob"), relations)])
    assert read_rules(file) == {mined.rule: 0.75}
    row = file.read_text("utf-8").splitlines()[1].split("\t")
    assert row[:2] == ["P26~P26", "spouse(x, y) ↔ spouse(y, x)"]
    assert rule_as_json(mined, (), relations)["sort"] == "mirror"


def test_it_has_instances_in_a_graph() -> None:
    graph = make(FAMILY)
    found = [(one.subject.id, other.subject.id) for one, other in RULE.instances(graph)]
    assert found == [("eve", "gus"), ("gus", "eve")]


def test_it_has_a_counterexample() -> None:
    pytest.importorskip("ibis")
    graph = make([*FAMILY, ("gus", "spouse", "fay")])
    mined = MinedRule(RULE, support=2, pairs=4, known=3, head_facts=4)
    assert list(with_counterexamples(graph, [mined])) == [(mined, ("gus", "fay"))]


def test_it_is_mined_by_its_join(with_join: None) -> None:
    pytest.importorskip("ibis")
    mined = mine(make(FAMILY), EVERYTHING)
    assert mined.of("mirror") == [MinedRule(RULE, 2, 3, 2, 3)]
    late = mine(make(FAMILY), type(EVERYTHING)(seconds=0.0))
    assert late.not_counted == ("inverse", "symmetric", "mirror")


def test_without_a_join_it_is_not_mined(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("ibis")
    assert mine(make(FAMILY), EVERYTHING).of("mirror") == []
    assert "not mined, as no join counts them: mirror rules\n" in told(
        capsys, "rules", "mine", "--support", "200"
    )


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Both streams of a command."""
    with pytest.raises(SystemExit):
        main(list(words))
    return "".join(capsys.readouterr())


def test_cases_are_built_from_it() -> None:
    rules = (parse_rule("P26~P26"), parse_rule("P22>P40"))
    built = build(starter_graph(), Order(kind="echo", count=3, rules=rules))
    assert {case.rule for case in built.cases} == {"P26~P26"}
    for case in built.cases:
        (edit,), facts = case.edits, plan(case).probes["edited"]
        assert case.triples[0] == edit.before
        assert facts[1].fact.subject == edit.new_object and facts[1].fact.object == edit.subject
    with pytest.raises(PitfallsError, match=r"no rule for echo cases: .* the form 'P26~P26'"):
        build(starter_graph(), Order(kind="echo", count=1, rules=rules[1:]))
    coverage = build(starter_graph(), Order(kind="coverage", count=3, rules=rules[:1])).cases
    assert {case.first.relation.id for case in coverage} == {"P26"}


def test_the_command_line_takes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other, file = (str(tmp_path / name) for name in ("a.jsonl", "b.jsonl", "rules.txt"))
    Path(file).write_text("P26~P26\n", "utf-8")
    wanted = ("build", "--kind", "echo", "--count", "3")
    for out, rule in ((one, "P26~P26"), (other, file)):
        assert "3 echo cases" in told(capsys, *wanted, "--rules", rule, "--out", out)
    assert read_cases(Path(one)) == read_cases(Path(other))
    assert "expected the form" in told(capsys, *wanted, "--rules", "P26~P22", "--out", one)
    refused = told(capsys, *wanted, "--relation", "P26", "--out", one)
    assert "echo cases take their relations from rules" in refused
