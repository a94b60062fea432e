"""A SPARQL endpoint → a folder of triples and labels, which `read_folder` reads.

Facts are asked for relation by relation and page by page, then labels, aliases and types of all
that they mention. Every answer is kept, so that what was stopped goes on where it was.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from pitfalls.disk import make_folder, write_bytes
from pitfalls.errors import PitfallsError
from pitfalls.graph.endpoint import Endpoint
from pitfalls.graph.graph import Triple
from pitfalls.graph.ntriples import local
from pitfalls.progress import SILENT, Progress

PROPERTY = "http://www.wikidata.org/prop/direct/"
ENTITY = "http://www.wikidata.org/entity/"
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
ALIAS = "http://www.w3.org/2004/02/skos/core#altLabel"
TYPE = PROPERTY + "P31"
BATCH = 200
"""Entities asked about at once; endpoints limit the length of a question."""


def fetch_folder(
    endpoint: Endpoint,
    relations: Sequence[str],
    out: Path,
    *,
    language: str = "en",
    progress: Progress = SILENT,
) -> None:
    """Write `triples.tsv`, `entities.tsv`, `relations.tsv` and `types.tsv` into a folder.

    Args:
        endpoint: that of Wikidata, or any with its vocabulary.
        relations: ids such as `P22`.
        out: the folder.
        language: of labels and aliases.
        progress: told of every relation and batch.

    Raises:
        PitfallsError: an id that is none, no answer, or no facts at all.
    """
    for id in relations:
        if not (id[:1] == "P" and id[1:].isdigit()):
            raise PitfallsError(f"relation {id!r}: expected a property of Wikidata, such as P22")
    triples: list[Triple] = []
    with progress.stage("asking for facts", len(relations), "relations") as advance:
        for id in dict.fromkeys(relations):
            triples += _facts(endpoint, id)
            advance(1)
    if not triples:
        raise PitfallsError(f"{endpoint.address}: has no facts of {' '.join(relations)}")
    entities = sorted({end for subject, _, object in triples for end in (subject, object)})
    make_folder(out)
    with progress.stage("asking for labels", len(entities), "entities") as advance:
        named, types = [], []
        for batch in _batches(entities, BATCH):
            named += _names(endpoint, batch, language)
            types += _pairs(endpoint, batch, f"?x <{TYPE}> ?y")
            advance(len(batch))
    _table(out / "entities.tsv", ("id", "label", "aliases"), named)
    _table(out / "types.tsv", ("entity", "type"), ((one, local(other)) for one, other in types))
    words = _names(endpoint, sorted(set(relations)), language)
    _table(out / "relations.tsv", ("id", "label", "aliases"), words)
    _table(out / "triples.tsv", ("subject", "relation", "object"), triples)


def _facts(endpoint: Endpoint, relation: str) -> Iterator[Triple]:
    # Of what is no entity, a date or an unknown value, the graph has no use.
    where = f'?s <{PROPERTY}{relation}> ?o . FILTER(STRSTARTS(STR(?o), "{ENTITY}Q"))'
    for rows in endpoint.pages(f"SELECT ?s ?o WHERE {{ {where} }} ORDER BY ?s ?o"):
        yield from ((local(row["s"]), relation, local(row["o"])) for row in rows)


def _names(endpoint: Endpoint, ids: Sequence[str], language: str) -> list[tuple[str, str, str]]:
    """(id, label, aliases) of all that have a label."""
    spoken = f'FILTER(LANG(?y) = "{language}")'
    labels = dict(_pairs(endpoint, ids, f"?x <{LABEL}> ?y . {spoken}"))
    aliases: dict[str, list[str]] = {}
    for id, alias in _pairs(endpoint, ids, f"?x <{ALIAS}> ?y . {spoken}"):
        if "|" not in alias:  # it parts them in the table
            aliases.setdefault(id, []).append(alias)
    return [(id, labels[id], "|".join(aliases.get(id, ()))) for id in ids if id in labels]


def _pairs(endpoint: Endpoint, ids: Sequence[str], pattern: str) -> list[tuple[str, str]]:
    values = " ".join(f"<{ENTITY}{id}>" for id in ids)
    query = f"SELECT ?x ?y WHERE {{ VALUES ?x {{ {values} }} {pattern} }} ORDER BY ?x ?y"
    return [
        (local(row["x"]), " ".join(row["y"].split()))
        for rows in endpoint.pages(query)
        for row in rows
    ]


def _batches(ids: Sequence[str], size: int) -> Iterator[list[str]]:
    waiting = iter(ids)
    while batch := list(islice(waiting, size)):
        yield batch


def _table(path: Path, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    text = "".join("\t".join(row) + "\n" for row in (head, *rows))
    write_bytes(path, text.encode("utf-8"))
