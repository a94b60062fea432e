"""The starter graph obeys its own rules, suffices for every kind of case, and is tidy."""

import csv
import gzip
import os
import re
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import pytest

STARTER = Path(__file__).parents[1] / "src" / "pitfalls" / "data" / "starter"
SHARED = Path(os.environ.get("PITFALLS_SHARED", Path(__file__).parents[1] / ".." / "shared"))

ROUND = ("P69", "P136", "P166", "P276", "P279", "P366", "P403", "P674", "P800", "P1411")
CONFLICT = (
    *("P22", "P25", "P26", "P27", "P39", "P40", "P170", "P184", "P185"),
    *("P407", "P800", "P1001", "P1412", "P3373"),
)
MANY = {*ROUND, "P39", "P40", "P185", "P1412", "P3373"}
REVERSE = (("P22", "P40"), ("P25", "P40"), ("P185", "P184"), ("P800", "P170"))
COMPOSITE = (
    ("P40", "P25", "P26"),
    ("P25", "P26", "P22"),
    ("P39", "P1001", "P27"),
    ("P22", "P40", "P3373"),
    ("P40", "P22", "P26"),
    ("P22", "P26", "P25"),
    ("P800", "P407", "P1412"),
)


class Row(NamedTuple):
    subject_id: str
    subject: str
    relation: str
    object_id: str
    object: str


def rows(name: str) -> list[list[str]]:
    with (STARTER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


RELATIONS_TEXT = (STARTER / "relations.toml").read_text("utf-8")
RELATIONS = {each["id"]: each for each in tomllib.loads(RELATIONS_TEXT)["relation"]}
ENTITIES = rows("entities.tsv")
FACTS = rows("facts.tsv")
FACT_ROWS = [Row(*cells) for cells in FACTS[1:]]
ALSO = rows("also-true.tsv")
ALSO_ROWS = [Row(*cells) for cells in ALSO[1:]]
TYPE = {id: type for id, _, type in ENTITIES[1:]}

OBJECTS: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
for row in FACT_ROWS:
    OBJECTS[row.relation][row.subject_id].add(row.object_id)


def holds(subject: str, relation: str, object: str) -> bool:
    return object in OBJECTS[relation].get(subject, ())


def pairs(relation: str) -> list[tuple[str, str]]:
    return [(s, o) for s, objects in OBJECTS[relation].items() for o in objects]


def test_every_relation_of_the_paper_is_there_and_no_other():
    assert set(RELATIONS) == {*CONFLICT, *ROUND} == set(OBJECTS)
    assert len(RELATIONS) == 23
    assert RELATIONS_TEXT.count("[[relation]]") == 23, "an id is described twice"


@pytest.mark.parametrize("relation", RELATIONS.values(), ids=RELATIONS.keys())
def test_prompts_take_the_subject_once_and_let_the_object_follow(relation):
    templates = [relation["prompt"], *relation["paraphrases"]]
    assert len(relation["paraphrases"]) == 10
    assert len(set(templates)) == 11
    for template in [*templates, relation["query"]]:
        assert re.findall(r"[{}]+", template) == ["{}"], template
        assert template == " ".join(template.split()), template
    for template in templates:
        assert template[-1] not in ",:;.?", template
    assert relation["query"].endswith("?")
    starts = sum(template.startswith("{}") for template in relation["paraphrases"])
    assert 3 <= starts <= 7, "paraphrases should begin both with and without the subject"


def test_prompts_are_gender_neutral():
    for relation in RELATIONS.values():
        for template in (relation["prompt"], relation["query"], *relation["paraphrases"]):
            words = set(re.findall(r"[a-z]+", template.lower()))
            assert not words & {"he", "him", "his", "she", "her", "hers"}, template


def test_many_marks_the_relations_with_several_objects():
    assert {id for id, relation in RELATIONS.items() if relation["many"]} == MANY


def test_types_are_closed_and_described():
    documented = set(re.findall(r"^#   (\w[\w, ]*?)(?:  |$)", RELATIONS_TEXT, re.MULTILINE))
    vocabulary = {word for words in documented for word in words.split(", ")}
    used = set(TYPE.values())
    declared = {
        word
        for relation in RELATIONS.values()
        for key in ("subject_type", "object_type")
        for word in relation[key].split()
    }
    assert used == vocabulary == declared


def test_entities_have_one_id_one_label_and_one_type():
    assert ENTITIES[0] == ["id", "label", "type"]
    assert len({id for id, _, _ in ENTITIES[1:]}) == len(ENTITIES) - 1
    assert len({label for _, label, _ in ENTITIES[1:]}) == len(ENTITIES) - 1
    for id, label, _ in ENTITIES[1:]:
        assert re.fullmatch(r"Q[1-9]\d*|x:[a-z0-9]+(-[a-z0-9]+)*", id), id
        assert label == " ".join(label.split()) != "", label
        assert not re.fullmatch(r"[QP]\d+", label), label
        assert not set(label) & set('{}"\t'), label


def test_facts_are_sorted_unique_and_agree_with_the_entities():
    assert FACTS[0] == ["subject_id", "subject", "relation", "object_id", "object"]
    assert len(FACT_ROWS) >= 1200
    keys = [(int(row.relation[1:]), row.subject, row.object) for row in FACT_ROWS]
    assert keys == sorted(set(keys))
    labels = {id: label for id, label, _ in ENTITIES[1:]}
    for row in FACT_ROWS:
        assert labels[row.subject_id] == row.subject
        assert labels[row.object_id] == row.object
        assert row.subject_id != row.object_id
    used = {id for row in FACT_ROWS for id in (row.subject_id, row.object_id)}
    assert used == set(labels), "an entity without a fact"


def test_what_is_also_true_is_a_table_of_facts_that_are_not_in_the_other():
    assert ALSO[0] == FACTS[0]
    keys = [(int(row.relation[1:]), row.subject, row.object) for row in ALSO_ROWS]
    assert keys == sorted(set(keys))
    labels = {id: label for id, label, _ in ENTITIES[1:]}
    for row in ALSO_ROWS:
        assert (labels[row.subject_id], labels[row.object_id]) == (row.subject, row.object)
        assert row.subject_id != row.object_id
    assert not {*FACT_ROWS} & {*ALSO_ROWS}


def test_a_river_flows_wherever_its_mouth_flows():
    flows = {(row.subject, row.object) for row in FACT_ROWS if row.relation == "P403"}
    known = flows | {(row.subject, row.object) for row in ALSO_ROWS if row.relation == "P403"}
    missing = {(a, d) for a, b in flows for c, d in flows if b == c} - known
    assert not missing


def test_facts_have_the_types_their_relation_declares():
    for row in (*FACT_ROWS, *ALSO_ROWS):
        relation = RELATIONS[row.relation]
        assert TYPE[row.subject_id] in relation["subject_type"].split(), row
        assert TYPE[row.object_id] in relation["object_type"].split(), row


@pytest.mark.parametrize(("body", "head"), REVERSE)
def test_reverse_rules_have_instances(body, head):
    assert sum(holds(y, head, x) for x, y in pairs(body)) >= 30


@pytest.mark.parametrize(("tied", "body", "head"), COMPOSITE)
def test_composite_rules_have_instances(tied, body, head):
    found = [(a, b, c) for a, b in pairs(tied) for c in OBJECTS[body].get(b, ()) if a != c]
    assert sum(holds(a, head, c) for a, _, c in found) >= 30


@pytest.mark.parametrize("relation", ROUND)
def test_round_relations_have_subjects_with_several_objects(relation):
    sizes = [len(objects) for objects in OBJECTS[relation].values()]
    assert sum(size >= 2 for size in sizes) >= 20
    assert {2, 3} <= set(sizes)


@pytest.mark.parametrize("relation", ["P22", "P25"])
def test_nobody_has_two_fathers_or_two_mothers(relation):
    assert all(len(objects) == 1 for objects in OBJECTS[relation].values())


@pytest.mark.parametrize("relation", ["P26", "P3373"])
def test_spouses_and_siblings_are_symmetric(relation):
    assert all(holds(o, relation, s) for s, o in pairs(relation))


def test_children_and_parents_say_the_same():
    parents = {(p, c) for relation in ("P22", "P25") for c, p in pairs(relation)}
    assert set(pairs("P40")) == parents


def test_siblings_are_those_who_share_a_parent():
    children = OBJECTS["P40"].values()
    assert set(pairs("P3373")) == {(a, b) for few in children for a in few for b in few if a != b}


def test_students_and_advisors_say_the_same():
    assert set(pairs("P185")) == {(a, s) for s, a in pairs("P184")}


def test_creators_are_known_for_what_they_created():
    assert all(holds(a, "P800", w) for w, a in pairs("P170"))


def test_nobody_is_their_own_ancestor():
    above = defaultdict(set)
    for parent, child in pairs("P40"):
        above[child].add(parent)
    for person in list(above):
        seen: set[str] = set()
        todo = [person]
        while todo:
            for parent in above.get(todo.pop(), ()):
                assert parent != person
                if parent not in seen:
                    seen.add(parent)
                    todo.append(parent)


def test_wikidata_ids_carry_that_name():
    path = SHARED / "data" / "kg" / "entities.tsv.gz"
    if not path.exists():
        pytest.skip("no development data: set PITFALLS_SHARED to the folder that has data/kg")
    labels = {id: label for id, label, _ in ENTITIES[1:]}
    wrong = []
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for line in file:
            id, label, aliases, *_ = [*line.rstrip("\n").split("\t"), "", ""]
            if id in labels and labels[id] not in {label, *aliases.split("|")}:
                wrong.append((id, labels[id], label))
    assert not wrong
