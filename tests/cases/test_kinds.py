"""Where types are missing: new objects of the old kind, whatever part of a graph is loaded."""

from pathlib import Path

from worlds import relation

from pitfalls.cases.build import build
from pitfalls.cases.drawing import Dice, Targets
from pitfalls.cases.order import Order
from pitfalls.facts import Entity
from pitfalls.graph.convert import convert_folder
from pitfalls.graph.folder import read_folder
from pitfalls.graph.graph import Graph, Node, Predicate, Triple
from pitfalls.graph.store import Store

SORTS = {"office": "held", "molecule": "binds"}
TRIPLES: list[Triple] = [
    triple
    for sort, used in SORTS.items()
    for n in range(12)
    for triple in (
        (f"kind of {sort} {n}", "subclass", f"{sort} {n % 6}"),
        (f"user{n}", used, f"{sort} {n % 6}"),
    )
]


def graph(typed: bool) -> Graph:
    ends = sorted({end for s, _, o in TRIPLES for end in (s, o)})
    nodes = [Node(Entity(end, end), end.split()[0] if typed else "") for end in ends]
    relations = ("subclass", *SORTS.values())
    return Graph(nodes, [Predicate(relation(id)) for id in relations], TRIPLES)


def test_a_new_object_plays_the_parts_of_the_old_one() -> None:
    for typed in (True, False):
        world = graph(typed)
        targets = Targets.of(world, Dice(0))
        for fact in world.facts_of(world.relation("subclass")):
            drawn = {targets.draw(fact, str(n)) for n in range(30)}
            assert None not in drawn and len(drawn) > 2
            assert {each.label.split()[0] for each in drawn if each} == {
                fact.object.label.split()[0]
            }, "an office is a kind of molecule"


def test_subjects_tell_objects_apart_that_play_no_other_part() -> None:
    triples: list[Triple] = []
    for n in range(12):
        triples += [(f"film{n}", "genre", f"film genre {n % 4}"), (f"film{n}", "cast", "x")]
        triples += [(f"band{n}", "genre", f"band genre {n % 4}"), (f"band{n}", "label", "y")]
    ends = sorted({end for s, _, o in triples for end in (s, o)})
    relations = [Predicate(relation(id)) for id in ("genre", "cast", "label")]
    world = Graph([Node(Entity(end, end)) for end in ends], relations, triples)
    targets = Targets.of(world, Dice(0))
    for fact in world.facts_of(world.relation("genre")):
        drawn = {targets.draw(fact, str(n)) for n in range(20)}
        assert {each and each.label[:4] for each in drawn} == {fact.object.label[:4]}


def test_a_part_of_a_store_draws_like_the_whole(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    lines = "".join("\t".join(triple) + "\n" for triple in TRIPLES)
    (folder / "triples.tsv").write_text(f"subject\trelation\tobject\n{lines}", "utf-8")
    ends = sorted({end for s, _, o in TRIPLES for end in (s, o)})
    for stem, ids in (("entities", ends), ("relations", ("subclass", *SORTS.values()))):
        rows = "".join(f"{id}\told {id}\n" for id in ids)
        (folder / f"{stem}.tsv").write_text(f"id\tlabel\n{rows}", "utf-8")
    convert_folder(folder, tmp_path / "store")
    store = Store.open(tmp_path / "store")
    order = Order(kind="coverage", count=20, relations=("subclass",))
    whole, _ = read_folder(folder)
    part = store.graph(["subclass"])
    assert len(part) < len(whole) and store.typed == part.typed == 0
    assert build(part, order) == build(whole, order)
