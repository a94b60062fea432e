"""The graph that travels with the package: small, hand-checked, enough for every kind of case."""

from collections import Counter
from collections.abc import Iterator, Mapping
from importlib import resources

from pitfalls.door.text import Source, read_text
from pitfalls.door.values import read_toml
from pitfalls.errors import PitfallsError
from pitfalls.facts import Entity, Relation
from pitfalls.graph.graph import Graph, Node, Predicate, Triple
from pitfalls.shapes import Name, Shape, Template, check

_ENTITIES = ("id", "label", "type")
ALSO_TRUE = "also-true.tsv"
"""The table of what is true and still none of the facts; a folder may do without."""
_FACTS = ("subject_id", "subject", "relation", "object_id", "object")


class _RelationRow(Shape):
    id: Name
    label: Name
    prompt: Template
    query: str
    paraphrases: list[Template]
    many: bool
    subject_type: str
    object_type: str


class _RelationTable(Shape):
    relation: list[_RelationRow]


def starter_graph() -> Graph:
    """The packaged graph."""
    return read_graph(resources.files("pitfalls.data") / "starter")


def read_graph(folder: Source) -> Graph:
    """A graph from `relations.toml`, `entities.tsv`, `facts.tsv` and, if present, `also-true.tsv`.

    Labels are repeated in the facts so that a person can read and correct them; they must agree.

    Raises:
        PitfallsError: one line that names the file, the line and what is wrong with it.
    """
    labels: dict[str, str] = {}
    nodes: list[Node] = []
    for where, (id, label, type) in _rows(folder / "entities.tsv", _ENTITIES):
        if labels.setdefault(id, label) != label:
            raise PitfallsError(f"{where}: {id} is {label!r} here and {labels[id]!r} above")
        nodes.append(Node(Entity(id, label), type))
    facts = _triples(folder / "facts.tsv", labels)
    more = folder / ALSO_TRUE
    also_true = _triples(more, labels) if more.is_file() else []
    return Graph(nodes, read_predicates(folder / "relations.toml"), facts, also_true=also_true)


def starter_predicates() -> list[Predicate]:
    """The packaged graph's relations, with a prompt and ten paraphrases each."""
    return read_predicates(resources.files("pitfalls.data") / "starter" / "relations.toml")


def read_predicates(path: Source) -> list[Predicate]:
    """Relations and their prompts from a file like the packaged `relations.toml`.

    Raises:
        PitfallsError: one line that names the file and what is wrong with it.
    """
    rows = check(_RelationTable, read_toml(path), where=str(path)).relation
    counts = Counter(row.id for row in rows)
    if repeated := [id for id, count in counts.items() if count > 1]:
        raise PitfallsError(f"{path}: relation {repeated[0]} is there {counts[repeated[0]]} times")
    return [_predicate(row) for row in rows]


def _predicate(row: _RelationRow) -> Predicate:
    relation = Relation(row.id, row.label, row.prompt, tuple(row.paraphrases), row.query)
    subject_types, object_types = row.subject_type.split(), row.object_type.split()
    return Predicate(relation, row.many, tuple(subject_types), tuple(object_types))


def _triples(path: Source, labels: Mapping[str, str]) -> list[Triple]:
    """The triples of a table of facts, whose labels must be those of the entities."""
    triples: list[Triple] = []
    for where, (subject, subject_label, relation, object, object_label) in _rows(path, _FACTS):
        for id, label in ((subject, subject_label), (object, object_label)):
            if labels.get(id) != label:
                known = repr(labels[id]) if id in labels else "missing"
                raise PitfallsError(f"{where}: {id} is {label!r}, in entities.tsv it is {known}")
        triples.append((subject, relation, object))
    return triples


def _rows(path: Source, header: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The rows below the header, each with the place to name if it is wrong."""
    lines = read_text(path).split("\n")
    if tuple(lines[0].split("\t")) != header:
        raise PitfallsError(f"{path}: line 1: expected the columns {' '.join(header)}")
    for number, line in enumerate(lines[1:], start=2):
        if not line:
            continue
        where = f"{path}: line {number}"
        cells = tuple(line.split("\t"))
        if len(cells) != len(header) or not all(cell.strip() for cell in cells):
            raise PitfallsError(f"{where}: expected {len(header)} filled columns, got {cells}")
        yield where, cells
