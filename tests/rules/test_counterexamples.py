"""Counterexamples of mined rules, against plain loops."""

from itertools import product
from pathlib import Path

import pytest
from mined_graphs import EVERYTHING, make, stored

from pitfalls.graph.graph import Triple
from pitfalls.rules.counterexamples import with_counterexamples
from pitfalls.rules.mine import mine

pytest.importorskip("ibis")


def test_a_rule_is_shown_where_it_is_wrong_most_often(tmp_path: Path) -> None:
    borders = [("ab", "bc", "cd", "bd", "be", "ea"), ("pq", "qr")]
    triples: list[Triple] = [(x, "border", y) for part in borders for x, y in part]
    triples += [(y, "border", x) for x, _, y in triples]
    graph = make(sorted(set(triples)))
    (rule,) = mine(graph, EVERYTHING).of("composition")
    wrong: dict[str, list[tuple[str, str, str]]] = {}
    for (x, _, y), (y2, _, z) in product(triples, repeat=2):
        if y == y2 and x != z and (x, "border", z) not in triples:
            wrong.setdefault(x, []).append((x, y, z))
    worst = max(len({z for *_, z in found}) for found in wrong.values())
    ((told, example),) = with_counterexamples(graph, [rule])
    assert told == rule and example in wrong[example[0]]
    assert len({z for *_, z in wrong[example[0]]}) == worst
    ((_, labels),) = with_counterexamples(stored(graph, tmp_path), [rule])
    assert labels == tuple(f"word {each}" for each in example)
    (symmetric,) = mine(graph, EVERYTHING).of("symmetric")
    assert list(with_counterexamples(graph, [symmetric])) == [(symmetric, ())]
