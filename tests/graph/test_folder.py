"""Triples and labels give the same graph in every format; bad lines are counted and shown."""

import bz2
import gzip
from collections.abc import Callable
from pathlib import Path

import pyarrow
import pyarrow.csv
import pyarrow.parquet
import pytest

from pitfalls.errors import PitfallsError
from pitfalls.graph.by_name import open_graph
from pitfalls.graph.convert import convert_folder
from pitfalls.graph.folder import read_folder
from pitfalls.graph.graph import Graph
from pitfalls.graph.span import Span

TABLES = {
    "triples": (
        "subject\trelation\tobject\tstart\tend\n"
        "Q1\tP22\tQ2\t\t\n"
        "Q1\tP999\tQ3\t1990\t1999-05\n"
        "Q1\tP999\tQ3\t2003\t\n"
        "Q2\tP999\tQ4\t\t2001-02-03\n"
    ),
    "entities": (
        "id\tlabel\taliases\n"
        "Q1\tAda\tAda the First|Countess\nQ2\tByron\t\nQ3\tBlue Club\t\nQ4\tRed Club\t\n"
    ),
    "relations": "id\tlabel\taliases\nP999\tmember of club\tclub\nP22\tfather\t\n",
    "types": "entity\ttype\nQ1\tQ5\nQ2\tQ5\nQ2\tQ999\nQ3\tQ77\n",
}


def parquet(path: Path, text: str) -> None:
    options = pyarrow.csv.ParseOptions(delimiter="\t")
    rows = pyarrow.csv.read_csv(
        pyarrow.BufferReader(text.encode()),
        parse_options=options,
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(text.split("\n")[0].split("\t"), pyarrow.string())
        ),
    )
    pyarrow.parquet.write_table(rows, path)


def zstandard(path: Path, text: str) -> None:
    packed = pytest.importorskip("zstandard").ZstdCompressor().compress(text.encode())
    path.write_bytes(packed)


WRITERS: dict[str, Callable[[Path, str], object]] = {
    ".tsv": lambda path, text: path.write_text(text, "utf-8"),
    ".csv": lambda path, text: path.write_text(text.replace("\t", ","), "utf-8"),
    ".tsv.gz": lambda path, text: path.write_bytes(gzip.compress(text.encode())),
    ".tsv.bz2": lambda path, text: path.write_bytes(bz2.compress(text.encode())),
    ".csv.zst": lambda path, text: zstandard(path, text.replace("\t", ",")),
    ".parquet": parquet,
}


def put(folder: Path, ending: str, **changed: str) -> Path:
    for stem, text in (TABLES | changed).items():
        WRITERS[ending](folder / (stem + ending), text)
    return folder


def told(graph: Graph) -> list[tuple[str, str, str]]:
    return [(fact.subject.id, fact.relation.id, fact.object.id) for fact in graph.facts]


@pytest.mark.parametrize("ending", WRITERS)
def test_every_format_tells_the_same(ending: str, tmp_path: Path) -> None:
    graph, bad = read_folder(put(tmp_path, ending))
    assert list(bad.lines()) == []
    assert told(graph) == [("Q1", "P22", "Q2"), ("Q1", "P999", "Q3"), ("Q2", "P999", "Q4")]
    ada = graph.nodes["Q1"]
    assert (ada.entity.label, ada.type) == ("Ada", "Q5")
    assert ada.names == {"ada", "ada the first", "countess"}
    assert graph.nodes["Q2"].type == "Q5", "the commonest of several"
    assert graph.relation("P22").prompt == "The father of {} is", "worded by the packaged graph"
    assert graph.relation("P999").prompt == "{} is a member of the club called"
    club, other = graph.facts_of(graph.relation("P999"))
    assert graph.spans_of(club) == (
        Span((1990, 1, 1), (1999, 5, 31)),
        Span((2003, 1, 1), None),
    )
    assert graph.spans_of(other) == (Span(None, (2001, 2, 3)),)


BROKEN = {
    "too few columns": ("Q1\tP22\n", "expected 5 columns"),
    "an empty cell": ("Q1\t\tQ2\t\t\n", "an empty cell among subject relation object"),
    "no label": ("Q1\tP22\tQ99\t\t\n", "the object has no label"),
    "no date": ("Q1\tP22\tQ2\tyesterday\t\n", "not a span of time"),
    "turned span": ("Q1\tP22\tQ2\t2001\t1999\n", "not a span of time"),
    "no words": ("Q1\tP77\tQ2\t\t\n", "a relation without label or prompts, with all its facts"),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_bad_line_is_left_out_and_shown(broken: str, tmp_path: Path) -> None:
    line, reason = BROKEN[broken]
    graph, bad = read_folder(put(tmp_path, ".tsv", triples=TABLES["triples"] + line))
    assert len(graph) == 3
    where = "P77" if broken == "no words" else "triples.tsv: line 6"
    assert list(bad.lines()) == [f"left out 1 lines: {reason} ({where})"]


def test_many_bad_lines_are_all_counted(tmp_path: Path) -> None:
    _, bad = read_folder(put(tmp_path, ".tsv", triples=TABLES["triples"] + "x\n" * 40))
    (line,) = bad.lines()
    assert line.startswith("left out 40 lines: expected 5 columns (triples.tsv: line 6, ")
    assert line.endswith("line 10, …)")


def test_a_line_that_is_not_utf_8_is_a_bad_line(tmp_path: Path) -> None:
    put(tmp_path, ".tsv")
    with (tmp_path / "triples.tsv").open("ab") as file:
        file.write(b"Q1\tP22\tQ\xff\t\t\n")
    graph, bad = read_folder(tmp_path)
    assert (len(graph), bad.counts) == (3, {"not UTF-8": 1})


def test_what_cannot_be_read_at_all_is_told(tmp_path: Path) -> None:
    with pytest.raises(PitfallsError, match="has no triples"):
        read_folder(tmp_path)
    with pytest.raises(PitfallsError, match="lacks the column 'object', expected subject relation"):
        read_folder(put(tmp_path, ".tsv", triples="subject\trelation\n"))
    with pytest.raises(PitfallsError, match="has no facts: left out 1 lines: the subject has no"):
        read_folder(put(tmp_path, ".tsv", triples="subject\trelation\tobject\nQ9\tP22\tQ1\n"))
    (tmp_path / "triples.tsv").unlink()
    (tmp_path / "triples.tsv.gz").write_bytes(
        gzip.compress(b"subject\trelation\tobject\n" * 999)[:40]
    )
    with pytest.raises(PitfallsError, match="is damaged after line"):
        read_folder(tmp_path)
    with pytest.raises(PitfallsError, match="no such folder; give one, or 'starter'"):
        open_graph(str(tmp_path / "nowhere"))


TRIPLES = r"""# truthy
<http://www.wikidata.org/entity/Q1> <http://www.wikidata.org/prop/direct/P22> <http://www.wikidata.org/entity/Q2> .
<http://www.wikidata.org/entity/Q1> <http://www.wikidata.org/prop/direct/P31> <http://www.wikidata.org/entity/Q5> .
<http://www.wikidata.org/entity/Q1> <http://www.wikidata.org/prop/direct/P569> "1815-12-10"^^<http://www.w3.org/2001/XMLSchema#date> .
<http://www.wikidata.org/entity/Q1> <http://www.w3.org/2000/01/rdf-schema#label> "Ada \u0022the First\u0022"@en .
<http://www.wikidata.org/entity/Q1> <http://www.w3.org/2000/01/rdf-schema#label> "Ada die Erste"@de .
<http://www.wikidata.org/entity/Q1> <http://www.w3.org/2004/02/skos/core#altLabel> "Countess"@en .
this is no triple
<http://www.wikidata.org/entity/Q2> <http://www.w3.org/2000/01/rdf-schema#label> "Byron"@en .
_:b0 <http://www.wikidata.org/prop/direct/P22> <http://www.wikidata.org/entity/Q1> .
"""  # noqa: E501


@pytest.mark.parametrize("escape", [r"\uD800", r"\UFFFFFFFF", r"\U00110000", r"\uD83D\uDE00"])
def test_an_escape_that_is_no_character_is_a_bad_line(escape: str, tmp_path: Path) -> None:
    (tmp_path / "triples.nt").write_text(TRIPLES.replace("Countess", f"Count{escape}"))
    sourced = open_graph(str(tmp_path))
    assert sourced.bad.counts["an invalid escape"] == 1
    assert sourced.graph.nodes["Q1"].aliases == ()


def test_a_table_as_excel_writes_it_is_read(tmp_path: Path) -> None:
    put(tmp_path, ".csv")
    expected = open_graph(str(tmp_path)).graph.facts
    for path in tmp_path.glob("*.csv"):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert open_graph(str(tmp_path)).graph.facts == expected


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PitfallsError, match="line 1: has the column 'id' twice"):
        read_folder(put(tmp_path, ".tsv", entities="id\tlabel\tid\nQ1\tAda\tQ2\n"))


def test_an_import_reads_the_prompts_and_leaves_its_source_alone(tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    put(tmp_path, ".tsv")
    with pytest.raises(PitfallsError, match="is the folder that is read"):
        convert_folder(tmp_path, tmp_path)
    (tmp_path / "relations.toml").write_text("[[relation]]\nid = 1\n")
    with pytest.raises(PitfallsError, match=r"relations.toml: relation\[0\]"):
        convert_folder(tmp_path, tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_n_triples_bring_their_own_labels(tmp_path: Path) -> None:
    (tmp_path / "triples.nt.gz").write_bytes(gzip.compress(TRIPLES.encode()))
    sourced = open_graph(str(tmp_path))
    assert told(sourced.graph) == [("Q1", "P22", "Q2")]
    node = sourced.graph.nodes["Q1"]
    assert (node.entity.label, node.type, node.aliases) == ('Ada "the First"', "Q5", ("Countess",))
    assert list(sourced.bad.lines()) == ["left out 1 lines: not a triple (triples.nt.gz: line 8)"]
    assert len(sourced.files["triples.nt.gz"]) == 64
