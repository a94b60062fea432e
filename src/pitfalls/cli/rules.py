"""`pitfalls rules`: list the paper's rules, and mine others from a graph."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, TypeAlias

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pitfalls.cases.order import PAPER_RULES
from pitfalls.cli.engines import EngineName, Memory, limit_of
from pitfalls.cli.groups import Commands, ListByDefault
from pitfalls.cli.progress import progress_on
from pitfalls.cli.sources import SOURCE_HELP, open_source, tell_bad
from pitfalls.graph.by_name import STARTER, find_store
from pitfalls.graph.graph import Graph, Predicate
from pitfalls.graph.starter import starter_graph
from pitfalls.graph.store import Store
from pitfalls.rules.counterexamples import with_counterexamples
from pitfalls.rules.engines import DUCKDB, open_engine
from pitfalls.rules.limits import Limits, MinedRule
from pitfalls.rules.mine import (
    Mined,
    fixed_fields,
    mined_sorts,
    unmined_sorts,
)
from pitfalls.rules.mine import mine as mine_rules
from pitfalls.rules.rule_file import COLUMNS, rule_as_json, rule_in_words, rule_row, write_rules

HELP = """List the paper's rules, and mine others from a graph.

Example: pitfalls rules mine --top 10
"""

DEFAULTS = Limits()

app = Commands(cls=ListByDefault, help=HELP)

Source: TypeAlias = Annotated[str, typer.Option("--from", help=SOURCE_HELP)]
Out: TypeAlias = Annotated[
    Path | None, typer.Option(help="File to write all rules to, for `build --rules`.")
]
Support: TypeAlias = Annotated[int, typer.Option(min=1, help="Least number of right predictions.")]
HeadCoverage: TypeAlias = Annotated[
    float,
    typer.Option(
        min=0, max=1, help="Least share of the head relation's facts that a rule predicts."
    ),
]
Confidence: TypeAlias = Annotated[
    float, typer.Option(min=0, max=1, help="Least share of predictions that are right.")
]
PcaConfidence: TypeAlias = Annotated[
    float,
    typer.Option(
        min=0, max=1, help="Least share of right ones among those that the graph can judge."
    ),
]
Seconds: TypeAlias = Annotated[
    float | None, typer.Option(min=0, help="Stop after this time and keep what was found.")
]
Top: TypeAlias = Annotated[int, typer.Option(min=0, help="Number of rules of each sort to print.")]
RulesAsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print all rules as JSON.")]


@app.command("list")
def show_list() -> None:
    """List the paper's rules in words; the default command.

    Example: pitfalls rules
    """
    table = Table("rule", "words", box=SIMPLE_HEAD)
    relations = starter_graph().predicates
    for rule in PAPER_RULES:
        table.add_row(str(rule), rule_in_words(rule, relations))
    Console(highlight=False).print(table)


@app.command()
def mine(
    source: Source = STARTER,
    *,
    out: Out = None,
    support: Support = 20,
    head_coverage: HeadCoverage = 0.01,
    confidence: Confidence = DEFAULTS.confidence,
    pca_confidence: PcaConfidence = DEFAULTS.pca_confidence,
    seconds: Seconds = None,
    engine: EngineName = DUCKDB,
    memory: Memory = None,
    top: Top = 20,
    as_json: RulesAsJson = False,
) -> None:
    """Mine inverse, symmetric and composition rules, the best first.

    `but not` gives a counterexample: x, y and z of a prediction that the graph knows to be wrong,
    for the x on which the rule fails most often.

    Example: pitfalls rules mine --top 10 --out rules.tsv
    """
    limits = Limits(
        support=support,
        head_coverage=head_coverage,
        confidence=confidence,
        pca_confidence=pca_confidence,
        seconds=seconds,
    )
    facts = _facts(source)
    with open_engine(engine, limit_of(memory)) as joined_by:
        mined = mine_rules(facts, limits, engine=joined_by, progress=progress_on())
        # Looking for the place where a rule is wrong is a join of its own.
        wanted = mined.rules if as_json or out is not None else _first(mined, top)
        told = dict(with_counterexamples(facts, wanted, joined_by))
    if out is not None:
        write_rules(out, (rule_row(*each, facts.predicates) for each in told.items()))
    if as_json:
        rows = [rule_as_json(*each, facts.predicates) for each in told.items()]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        _show(mined, told, facts.predicates, top)
        if out is not None:
            print(f"{out}: {len(mined.rules)} rules")


def _facts(source: str) -> Graph | Store:
    """Facts of a source: a store is mined on disk, anything else in memory."""
    if (store := find_store(source)) is None:
        return open_source(source).graph
    tell_bad(store.bad)
    return store


def _first(mined: Mined, top: int) -> list[MinedRule]:
    return [each for sort in mined_sorts() for each in mined.of(sort)[:top]]


def _show(
    mined: Mined,
    told: Mapping[MinedRule, Sequence[str]],
    relations: Mapping[str, Predicate],
    top: int,
) -> None:
    # Not a table: at 80 columns it would cut ids, which somebody may want to copy, or words.
    for sort in mined_sorts():
        found = mined.of(sort)
        print(f"{sort} rules, {min(top, len(found))} of {len(found)}")
        for each in found[:top]:
            rule, words, *measures, counterexample = rule_row(each, told[each], relations)
            shown = zip(COLUMNS[2:], measures, strict=False)
            print(f"\n  {rule}   {', '.join(f'{name} {value}' for name, value in shown)}")
            print(f"    {words}{' (known inverse)' if each.declared else ''}")
            if counterexample:
                print(f"    {COLUMNS[-1]}: {counterexample}")
        print()
    if unmined := unmined_sorts():
        print(f"not mined, as no join counts them: {' and '.join(unmined)} rules")
    if mined.not_counted:
        print(f"out of time: {' and '.join(mined.not_counted)} rules were not counted")
    if mined.left_out:
        roles = " or ".join(fixed_fields())
        print(f"out of time: not tried as {roles} relations: {' '.join(mined.left_out)}")
