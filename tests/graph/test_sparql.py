"""A real SPARQL engine loaded with truthy triples gives the same graph as the triples."""

import json
import threading
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from pitfalls.errors import PitfallsError
from pitfalls.graph.endpoint import Endpoint
from pitfalls.graph.folder import read_folder
from pitfalls.graph.sparql import fetch_store
from pitfalls.graph.store import Store

oxigraph = pytest.importorskip("pyoxigraph")
pytest.importorskip("duckdb")

WD, WDT = "http://www.wikidata.org/entity/", "http://www.wikidata.org/prop/direct/"
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
ALIAS = "http://www.w3.org/2004/02/skos/core#altLabel"


def truthy() -> str:
    lines = [f'<{WD}{id}> <{LABEL}> "{word}"@en .' for id, word in (("P22", "father"), ("P7", "x"))]
    for n in range(1, 24):
        lines += [
            f'<{WD}Q{n}> <{LABEL}> "Person \\"{n}\\""@en .',
            f'<{WD}Q{n}> <{LABEL}> "Mensch {n}"@de .',
            f'<{WD}Q{n}> <{ALIAS}> "No. {n}"@en .',
            f"<{WD}Q{n}> <{WDT}P31> <{WD}Q500> .",
            f"<{WD}Q{n}> <{WDT}P22> <{WD}Q{n + 1}> .",
            f'<{WD}Q{n}> <{WDT}P569> "18{n}" .',
        ]
    return "\n".join([*lines, f"<{WD}Q1> <{WDT}P22> _:someone ."]) + "\n"


@dataclass
class Engine:
    """An endpoint that fails in given ways before it answers."""

    moods: list[int] = field(default_factory=list)
    """HTTP statuses to return first."""
    cuts: int = 0
    """Number of answers to truncate, in spite of status 200."""
    told: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    address: str = ""

    def endpoint(self, cache: Path, page: int = 7) -> Endpoint:
        return Endpoint(
            self.address,
            cache,
            pause=0.5,
            page=page,
            wait=self.waited.append,
            tell=self.told.append,
        )


@pytest.fixture
def engine() -> Iterator[Engine]:
    store = oxigraph.Store()
    store.load(truthy().encode(), format=oxigraph.RdfFormat.N_TRIPLES)
    made = Engine()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status = made.moods.pop(0) if made.moods else 200
            query = urllib.parse.parse_qs(body)["query"][0]
            made.asked.append(query)
            self.send_response(status)
            if status == 429:
                self.send_header("Retry-After", "9")
            self.end_headers()
            if status == 200:
                results = store.query(query)
                answer = results.serialize(format=oxigraph.QueryResultsFormat.JSON)
                self.wfile.write(answer[: len(answer) // 2] if made.cuts else answer)
                made.cuts = max(made.cuts - 1, 0)
            else:
                self.wfile.write(b"Too long:\n  the line 7")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    made.address = f"http://127.0.0.1:{server.server_port}/sparql"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_engine_tells_what_the_triples_tell(engine: Engine, tmp_path: Path) -> None:
    fetch_store(engine.endpoint(tmp_path / "answers"), ["P22"], tmp_path / "asked")
    (tmp_path / "triples.nt").write_text(truthy(), "utf-8")
    store = Store.open(tmp_path / "asked")
    asked, bad = store.graph(), store.bad
    told, _ = read_folder(tmp_path)
    assert asked.facts == told.facts and len(asked) == 22
    assert {id: asked.nodes[id] for id in asked.nodes} == {id: told.nodes[id] for id in told.nodes}
    assert asked.nodes["Q3"].names == {'person "3"', "no. 3"}
    assert asked.nodes["Q3"].type == "Q500"
    # Q24 has no label.
    assert bad.counts == {"the object has no label": 1}
    assert sum("OFFSET 21" in query for query in engine.asked) >= 1, "pages of seven"
    assert set(engine.waited) == {0.5}


def test_nothing_is_asked_twice(engine: Engine, tmp_path: Path) -> None:
    fetch_store(engine.endpoint(tmp_path / "answers"), ["P22"], tmp_path / "one")
    asked = len(engine.asked)
    fetch_store(engine.endpoint(tmp_path / "answers"), ["P22"], tmp_path / "two")
    assert len(engine.asked) == asked
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()
    fetch_store(engine.endpoint(tmp_path / "other"), ["P22"], tmp_path / "two")
    assert len(engine.asked) == asked, "a store that is complete asks nothing"


def test_a_busy_endpoint_is_asked_again_after_a_while(engine: Engine, tmp_path: Path) -> None:
    engine.moods = [503, 429, 500]
    rows = engine.endpoint(tmp_path).ask(f"SELECT ?o WHERE {{ <{WD}Q1> <{WDT}P31> ?o }}")
    assert rows == [{"o": f"{WD}Q500"}]
    assert engine.waited == [0.5, 9.0, 2.0, 0.5]
    assert len(engine.told) == 3
    assert engine.told[1].endswith("429 Too Many Requests: Too long: the line 7; try 3 of 6 in 9 s")


def test_an_answer_that_breaks_off_is_asked_for_again(engine: Engine, tmp_path: Path) -> None:
    query = f"SELECT ?o WHERE {{ <{WD}Q1> <{WDT}P31> ?o }}"
    engine.cuts = 2
    assert engine.endpoint(tmp_path).ask(query) == [{"o": f"{WD}Q500"}]
    assert len(engine.asked) == 3
    engine.cuts = 6
    with pytest.raises(PitfallsError, match=r"is not valid JSON.*run the same command again"):
        engine.endpoint(tmp_path).ask(query + " ")


@pytest.mark.parametrize(
    "address", ["zzz", "", "ftp://host/x", "http:///x", "http://[", "http://h:x", "C:\\x"]
)
def test_an_address_that_is_none_is_refused_at_once(address: str, tmp_path: Path) -> None:
    with pytest.raises(PitfallsError, match="expected an address such as"):
        Endpoint(address, tmp_path)


def test_a_kept_answer_that_was_damaged_is_named(engine: Engine, tmp_path: Path) -> None:
    endpoint = engine.endpoint(tmp_path)
    endpoint.ask("SELECT ?s WHERE { ?s ?p ?o }")
    (kept,) = tmp_path.iterdir()
    for content in ("[5]", "{", "null", '[{"s": 1}]'):
        kept.write_text(content)
        with pytest.raises(PitfallsError, match=kept.name):
            endpoint.ask("SELECT ?s WHERE { ?s ?p ?o }")
    with pytest.raises(PitfallsError, match="answered without s and o"):
        list(endpoint.pages("SELECT ?p WHERE { ?s ?p ?o }", "s", "o"))


def test_an_endpoint_that_does_not_answer_is_given_up(engine: Engine, tmp_path: Path) -> None:
    engine.moods = [503] * 6
    with pytest.raises(PitfallsError, match=r"does not answer: 503 .*run the same command again"):
        engine.endpoint(tmp_path).ask("SELECT ?o WHERE { ?s ?p ?o }")
    assert len(engine.asked) == 6
    engine.moods = [400]
    with pytest.raises(
        PitfallsError, match="does not answer: 400 Bad Request: Too long: the line 7"
    ):
        engine.endpoint(tmp_path).ask("SELECT ?o WHERE { ?s ?p ?o } ")
    assert len(engine.asked) == 7, "a question that is wrong stays wrong"


def test_what_was_fetched_survives_a_stop(engine: Engine, tmp_path: Path) -> None:
    engine.moods = [200, 200] + [503] * 6
    with pytest.raises(PitfallsError, match="does not answer"):
        fetch_store(engine.endpoint(tmp_path / "answers"), ["P22"], tmp_path / "out")
    kept = list((tmp_path / "answers").iterdir())
    pages = [json.loads(each.read_text()) for each in kept]
    assert [len(page) for page in pages] == [7, 7], "whole pages, as asked for"
    fetch_store(engine.endpoint(tmp_path / "answers"), ["P22"], tmp_path / "out")
    assert len(Store.open(tmp_path / "out").graph()) == 22


def test_what_makes_no_sense_is_told(engine: Engine, tmp_path: Path) -> None:
    endpoint = engine.endpoint(tmp_path / "answers")
    with pytest.raises(PitfallsError, match="expected a property of Wikidata, such as P22"):
        fetch_store(endpoint, ["father"], tmp_path / "out")
    with pytest.raises(PitfallsError, match="has no facts of P1"):
        fetch_store(endpoint, ["P1"], tmp_path / "out")
    nowhere = Endpoint("http://127.0.0.1:1/", tmp_path / "answers", tries=2, wait=lambda _: None)
    with pytest.raises(PitfallsError, match=r"does not answer: .*refused"):
        nowhere.ask("ASK {}")
