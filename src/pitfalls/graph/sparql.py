"""Download from a SPARQL endpoint into a store.

Facts are requested relation by relation and page by page, then the labels, aliases and types of all
entities in them. Every page is written at once and its answer cached, so memory does not grow with
the graph, and an interrupted run resumes without repeating queries.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pitfalls.errors import PitfallsError
from pitfalls.graph.endpoint import Endpoint
from pitfalls.graph.finish import finish_store
from pitfalls.graph.lines import BadLines
from pitfalls.graph.note import Wanted
from pitfalls.graph.ntriples import local
from pitfalls.graph.tables import ends_in_batches
from pitfalls.graph.writer import StoreWriter
from pitfalls.progress import SILENT, Progress

PROPERTY = "http://www.wikidata.org/prop/direct/"
ENTITY = "http://www.wikidata.org/entity/"
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
ALIAS = "http://www.w3.org/2004/02/skos/core#altLabel"
TYPE = PROPERTY + "P31"
BATCH = 200
"""Entities per query; endpoints limit its length."""


def fetch_store(
    endpoint: Endpoint,
    relations: Sequence[str],
    out: Path,
    *,
    language: str = "en",
    memory: int | None = None,
    progress: Progress = SILENT,
) -> BadLines:
    """Write a store, or resume an unfinished one, and return the lines left out.

    Args:
        endpoint: Wikidata's, or one with the same vocabulary.
        relations: ids such as `P22`.
        out: the folder of the store.
        language: language of labels and aliases.
        memory: limit of DuckDB in bytes; None: a share of the free memory.
        progress: notified of every relation and batch.

    Raises:
        PitfallsError: an invalid id, no answer, no facts, or DuckDB is not installed.
    """
    for id in relations:
        if not (id[:1] == "P" and id[1:].isdigit()):
            raise PitfallsError(f"relation {id!r}: expected a property of Wikidata, such as P22")
    asked = list(dict.fromkeys(relations))
    wish: Wanted = {"endpoint": endpoint.address, "relations": asked, "language": language}
    writer = StoreWriter.begin(out, wish, resume=False)
    if writer.note.stage == "reading":
        _ask(endpoint, asked, language, writer, progress)
        writer.keep(stage="read")
    finish_store(writer, memory=memory, progress=progress)
    return writer.bad


def _ask(
    endpoint: Endpoint,
    relations: Sequence[str],
    language: str,
    writer: StoreWriter,
    progress: Progress,
) -> None:
    with progress.stage("asking for facts", len(relations), "relations") as advance:
        for id in relations:
            _ask_facts(endpoint, id, writer)
            advance(1)
    writer.keep()
    if not any(ends_in_batches(writer, BATCH)):
        raise PitfallsError(f"{endpoint.address}: has no facts of {' '.join(relations)}")
    spoken = f'FILTER(LANG(?y) = "{language}")'
    with progress.stage("asking for labels", unit="entities") as advance:
        for batch in (sorted(relations), *ends_in_batches(writer, BATCH)):
            for id, label in _pairs(endpoint, batch, f"?x <{LABEL}> ?y . {spoken}"):
                writer.name(endpoint.address, id, label)
            for id, alias in _pairs(endpoint, batch, f"?x <{ALIAS}> ?y . {spoken}"):
                writer.alias(id, alias)
            for id, type in _pairs(endpoint, batch, f"?x <{TYPE}> ?y"):
                writer.type(id, local(type))
            advance(len(batch))


def _ask_facts(endpoint: Endpoint, relation: str, writer: StoreWriter) -> None:
    # Of what is no entity, a date or an unknown value, the graph has no use.
    where = f'?s <{PROPERTY}{relation}> ?o . FILTER(STRSTARTS(STR(?o), "{ENTITY}Q"))'
    for rows in endpoint.pages(f"SELECT ?s ?o WHERE {{ {where} }} ORDER BY ?s ?o", "s", "o"):
        for row in rows:
            writer.fact(endpoint.address, (local(row["s"]), relation, local(row["o"])))


def _pairs(endpoint: Endpoint, ids: Sequence[str], pattern: str) -> Iterator[tuple[str, str]]:
    values = " ".join(f"<{ENTITY}{id}>" for id in ids)
    query = f"SELECT ?x ?y WHERE {{ VALUES ?x {{ {values} }} {pattern} }} ORDER BY ?x ?y"
    for rows in endpoint.pages(query, "x", "y"):
        yield from ((local(row["x"]), " ".join(row["y"].split())) for row in rows)
