"""The graph resolves ids, indexes facts and refuses inconsistent parts."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.facts import Entity, Fact, Relation
from pitfalls.graph.graph import Graph, Node, Predicate, Triple, true_triples
from pitfalls.graph.starter import read_graph, starter_graph

ids = st.sampled_from("abcdefg")
triples = st.lists(st.tuples(ids, st.sampled_from(["P1", "P2"]), ids), max_size=30)


def make(triples: list[Triple], order: int = 0) -> Graph:
    nodes = [Node(Entity(id, f"The {id}"), "letter") for id in "abcdefg"]
    predicates = [Predicate(Relation(id, id, f"The {id} of {{}} is")) for id in ("P1", "P2")]
    for part in (nodes, predicates, triples := list(triples)):
        Random(order).shuffle(part)
    return Graph(nodes, predicates, triples)


@given(triples, st.integers(0, 9))
def test_every_index_tells_the_same_facts(triples: list[Triple], order: int) -> None:
    graph = make(triples, order)
    assert graph.facts == make(triples).facts
    told = {(fact.subject.id, fact.relation.id, fact.object.id) for fact in graph.facts}
    assert told == set(triples)
    assert len(graph) == len(told)
    for fact in graph.facts:
        assert fact in graph
        assert fact.object in graph.objects(fact.subject, fact.relation)
        assert fact.subject in graph.subjects(fact.relation, fact.object)
        assert fact in graph.facts_of(fact.relation)
        assert fact in graph.outgoing(fact.subject)
        assert fact in graph.incoming(fact.object)
    nodes, relations = graph.nodes.values(), graph.predicates.values()
    sizes = [
        sum(len(graph.facts_of(each.relation)) for each in relations),
        sum(len(graph.outgoing(node.entity)) for node in nodes),
        sum(len(graph.incoming(node.entity)) for node in nodes),
    ]
    assert sizes == [len(graph)] * 3


@given(triples)
def test_everything_is_in_the_order_of_ids(triples: list[Triple]) -> None:
    graph = make(triples)
    assert list(graph.nodes) == sorted(graph.nodes)
    for node in graph.nodes.values():
        for predicate in graph.predicates.values():
            found = [each.id for each in graph.objects(node.entity, predicate.relation)]
            assert found == sorted(found)


def test_what_the_graph_does_not_know_is_empty_or_told() -> None:
    graph = make([("a", "P1", "b")])
    stranger, relation = Entity("z", "z"), Relation("P9", "P9", "{} and")
    assert graph.objects(stranger, relation) == ()
    assert graph.type_of(stranger) == ""
    assert Fact(stranger, relation, stranger) not in graph
    with pytest.raises(UnknownNameError, match="unknown relation 'P9'"):
        graph.relation("P9")


def test_what_does_not_fit_together_is_refused() -> None:
    with pytest.raises(PitfallsError, match="fact a P1 z: its object z is not in the graph"):
        make([("a", "P1", "z")])
    with pytest.raises(PitfallsError, match="fact a P3 b: its relation P3 is not in the graph"):
        make([("a", "P3", "b")])
    twice = [Node(Entity("a", "one")), Node(Entity("a", "two"))]
    with pytest.raises(PitfallsError, match="entity a is described twice, and differently"):
        Graph(twice, [], [])
    assert len(Graph(twice[:1] * 2, [], []).nodes) == 1


def test_a_graph_cannot_be_changed() -> None:
    graph = make([])
    with pytest.raises(TypeError):
        graph.nodes["a"] = graph.nodes["b"]  # type: ignore[index]


RELATIONS = """
[[relation]]
id = "P22"
label = "father"
prompt = "The father of {} is"
query = "Who is the father of {}?"
paraphrases = ["{} is a child of"]
many = false
subject_type = "human"
object_type = "human"
"""
ENTITIES = "id\tlabel\ttype\nQ1\tAda\thuman\nQ2\tGeorge\thuman\n"
FACTS = "subject_id\tsubject\trelation\tobject_id\tobject\nQ1\tAda\tP22\tQ2\tGeorge\n"


def place(folder: Path, relations: str, entities: str, facts: str) -> Path:
    (folder / "relations.toml").write_text(relations, "utf-8")
    (folder / "entities.tsv").write_text(entities, "utf-8")
    (folder / "facts.tsv").write_text(facts, "utf-8")
    return folder


def test_a_folder_of_tables_is_read(tmp_path: Path) -> None:
    graph = read_graph(place(tmp_path, RELATIONS, ENTITIES, FACTS))
    (fact,) = graph.facts
    assert (fact.subject.label, fact.object.label) == ("Ada", "George")
    assert fact.relation.prompts == ("The father of {} is", "{} is a child of")
    assert graph.type_of(fact.subject) == "human"


def test_what_is_also_true_is_read_where_there_is_such_a_table(tmp_path: Path) -> None:
    place(tmp_path, RELATIONS, ENTITIES, FACTS)
    (fact,) = read_graph(tmp_path).facts
    assert read_graph(tmp_path).also_objects(fact.subject, fact.relation) == ()
    more = tmp_path / "also-true.tsv"
    head, *_ = FACTS.splitlines()
    more.write_text(f"{head}\nQ2\tGeorge\tP22\tQ1\tAda\n", "utf-8")
    graph = read_graph(tmp_path)
    assert graph.facts == (fact,)
    assert graph.also_objects(fact.object, fact.relation) == (fact.subject,)
    assert graph.also_true[0] not in graph
    assert len(true_triples(graph)) == 2
    more.write_text(f"{head}\nQ2\tEve\tP22\tQ1\tAda\n", "utf-8")
    with pytest.raises(PitfallsError, match=r"also-true\.tsv: line 2: Q2 is 'Eve'"):
        read_graph(tmp_path)


@pytest.mark.parametrize(
    ("relations", "entities", "facts", "line"),
    [
        (RELATIONS, ENTITIES, FACTS.replace("Ada", "Eve"), "facts.tsv: line 2: Q1 is 'Eve', in"),
        (RELATIONS, ENTITIES, FACTS.replace("Q2", "Q9"), "facts.tsv: line 2: Q9 is 'George', in"),
        (RELATIONS, ENTITIES, FACTS.replace("\tP22", ""), "facts.tsv: line 2: expected 5 filled"),
        (RELATIONS, ENTITIES.replace("type", "kind"), FACTS, "entities.tsv: line 1: expected the"),
        (RELATIONS, ENTITIES + "Q1\tEve\thuman\n", FACTS, "line 4: Q1 is 'Eve' here and 'Ada'"),
        (RELATIONS.replace("P22", "P23"), ENTITIES, FACTS, "its relation P22 is not in the graph"),
        (RELATIONS.replace("prompt = ", "promt = "), ENTITIES, FACTS, "relations.toml: "),
        (RELATIONS.replace("[[", "["), ENTITIES, FACTS, "relations.toml: "),
        (
            RELATIONS.replace("of {} is", "is"),
            ENTITIES,
            FACTS,
            "relation[0].prompt: has 0 placeholders",
        ),
    ],
)
def test_a_wrong_table_is_told(
    tmp_path: Path, relations: str, entities: str, facts: str, line: str
) -> None:
    with pytest.raises(PitfallsError) as error:
        read_graph(place(tmp_path, relations, entities, facts))
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_table_is_told(tmp_path: Path) -> None:
    with pytest.raises(PitfallsError, match=r"entities.tsv: cannot be read: No such file"):
        read_graph(tmp_path)


def test_the_starter_graph_is_read() -> None:
    graph = starter_graph()
    assert len(graph) > 1000
    assert all(len(each.relation.paraphrases) == 10 for each in graph.predicates.values())
    for fact in graph.facts:
        predicate = graph.predicates[fact.relation.id]
        assert graph.type_of(fact.subject) in predicate.subject_types
        assert graph.type_of(fact.object) in predicate.object_types
