"""The packaged graph: small, checked by hand, enough for every kind of case."""

from collections.abc import Iterator, Mapping
from importlib import resources

from pitfalls.door.text import Source, read_text
from pitfalls.errors import PitfallsError
from pitfalls.facts import Entity
from pitfalls.graph.graph import Graph, Node, Predicate, Triple
from pitfalls.graph.relations_file import WORDINGS, read_predicates

_ENTITIES = ("id", "label", "type")
ALSO_TRUE = "also-true.tsv"
"""Optional table of triples that are true but not among the facts."""
_FACTS = ("subject_id", "subject", "relation", "object_id", "object")


def starter_graph() -> Graph:
    """The packaged graph."""
    return read_graph(resources.files("pitfalls.data") / "starter")


def read_graph(folder: Source) -> Graph:
    """Read a graph from `relations.toml`, `entities.tsv`, `facts.tsv` and any `also-true.tsv`.

    The facts repeat the labels so that a person can read and correct them; they must agree.

    Raises:
        PitfallsError: a file is malformed; the message names the file, the line and the fault.
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
    return Graph(nodes, read_predicates(folder / WORDINGS), facts, also_true=also_true)


def starter_predicates() -> list[Predicate]:
    """The packaged graph's relations, with a prompt and ten paraphrases each."""
    return read_predicates(resources.files("pitfalls.data") / "starter" / WORDINGS)


def _triples(path: Source, labels: Mapping[str, str]) -> list[Triple]:
    """Triples of a table of facts, whose labels must match those of the entities."""
    triples: list[Triple] = []
    for where, (subject, subject_label, relation, object, object_label) in _rows(path, _FACTS):
        for id, label in ((subject, subject_label), (object, object_label)):
            if labels.get(id) != label:
                known = repr(labels[id]) if id in labels else "missing"
                raise PitfallsError(f"{where}: {id} is {label!r}, in entities.tsv it is {known}")
        triples.append((subject, relation, object))
    return triples


def _rows(path: Source, header: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Rows below the header, each with its place for error messages."""
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
