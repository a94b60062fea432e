"""Odd input by the hundred: words for every option, and damage to every file that is read."""

import gzip
import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from safetensors.torch import save_file

from pitfalls.cases.build import build_cases
from pitfalls.cases.case_file import write_cases
from pitfalls.cases.export import write_authors
from pitfalls.graph.convert import convert_folder
from pitfalls.graph.starter import starter_graph
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.weights.changes import Dense
from pitfalls.testing import TEXT
from pitfalls.updates.provenance import Provenance
from pitfalls.updates.request import Request
from pitfalls.updates.stack import Made, Stack
from pitfalls.updates.update import Update

WORDS: Mapping[str, str] = {
    "half a character": "x\udcff",
    "too long a name": "x" * 300,
    "too long a path": "y/" * 4000,
    "nobody's home": "~nobody-of-that-name/x",
    "nothing": "",
    "a blank": " ",
    "a zero byte": "x\0y",
    "two lines": "one\ntwo",
    "below a device": "/dev/null/x",
    "a folder": "{tmp}",
    "5,000 digits": "7" * 5000,
    "deep brackets": "[" * 3000,
    "markup": "[bold]{0} %s </script>",
}
"""What may be typed for anything."""

COMMANDS: tuple[str, ...] = (
    "run ? --model {tmp}/none --data {tmp}/cases.jsonl",
    "run --data {tmp}/cases.jsonl --model ?",
    "run --model {tmp}/none --data ?",
    "run --model {tmp}/none --data ?:conflict/reverse",
    "run --model {tmp}/none --data {tmp}/cases.jsonl --editor ?",
    "run --model {tmp}/none --data {tmp}/cases.jsonl --cases ?",
    "run --model {tmp}/none --data {tmp}/cases.jsonl --seed ?",
    "run --model {tmp}/none --data {tmp}/cases.jsonl --dtype ?",
    "run --model {tmp}/none --data {tmp}/cases.jsonl --device ?",
    "run --model {tmp}/none --data {tmp}/cases.jsonl --editor ft --set ft.layer=?",
    "run --model {tmp}/none --data {tmp}/cases.jsonl --editor ft --set ?",
    "score ?",
    "score {tmp}/run --preset ?",
    "score {tmp}/run --format ?",
    "score {tmp}/run --json --out ?",
    "score {tmp}/run --by ?",
    "score {tmp}/run --compare editor --base ?",
    "score {tmp}/run --fail-if ?",
    "score --authors-results ?",
    "report ? --html {out}.html",
    "report {tmp}/run --base ? --html {out}.html",
    "build --kind ? --out {out}.jsonl",
    "build --kind coverage --from {tmp}/graph --relation P999 --count 1 --out ?",
    "build --kind coverage --from ? --out {out}.jsonl",
    "build --kind reverse --from {tmp}/graph --rules ? --out {out}.jsonl",
    "build --kind coverage --from {tmp}/graph --relation ? --out {out}.jsonl",
    "build --kind coverage --from {tmp}/graph --count ? --out {out}.jsonl",
    "build --kind composite --from {tmp}/graph --model ? --out {out}.jsonl",
    "build --kind coverage --from {tmp}/graph --relation P999 --licence ? --out {out}.jsonl",
    "locate ? --from {tmp}/graph",
    "locate {tmp}/none --from ?",
    "locate {tmp}/none --from {tmp}/graph --plot ?",
    "edit --list --out ?",
    "edit --undo ? --out {tmp}/stack",
    "edit --model {tmp}/none --edits ? --out {out}",
    "edit --model {tmp}/none --prompt ? --subject s --target t --out {out}",
    "edit --model {tmp}/none --prompt {{}} --subject ? --target t --out {out}",
    "edit --model {tmp}/none --prompt {{}} --subject s --target ? --out {out}",
    "edit --model {tmp}/none --prompt {{}} --subject s --target t --out ?",
    "edit --model {tmp}/none --prompt {{}} --subject s --target t --merge ? --out {out}",
    "moments 1 --model ?",
    "moments ? --model {tmp}/none",
    "models fetch ?",
    "models verify ?",
    "data show ?",
    "data show {tmp}/cases.jsonl --index ?",
    "data audit ?:round/easy",
    "data fetch ?",
    "data fetch released-gpt-j --from ?",
    "data verify ?",
    "graph show --from ?",
    "graph import ? --out {out}",
    "graph import {tmp}/graph --out ?",
    "graph dump ? --relation P22 --out {out}",
    "graph dump {tmp}/dump.json --relation P22 --out ?",
    "graph sparql --relation ? --out {out}",
    "graph sparql --relation P22 --endpoint ? --out {out}",
    "rules mine --from ?",
    "rules mine --from {tmp}/graph --out ?",
    "train mend --model {tmp}/none --data ? --out {out}",
    "train mend --model {tmp}/none --data {tmp}/starter --corpus ? --out {out} "
    "--leave-out {tmp}/cases.jsonl",
    "train mend --model {tmp}/none --data {tmp}/starter --leave-out ? --out {out}",
    "? --help",
)
"""Commands in which `?` is to be replaced. None gets as far as loading a model."""

Damage = Callable[[bytes], bytes]


def flipped(seed: int) -> Damage:
    """Some bytes replaced by others, elsewhere with every seed."""

    def flip(content: bytes) -> bytes:
        draw, changed = random.Random(seed), bytearray(content)
        for _ in range(1 + len(changed) // 200):
            changed[draw.randrange(len(changed))] = draw.randrange(256)
        return bytes(changed)

    return flip


def cut(share: float) -> Damage:
    """The first part."""
    return lambda content: content[: int(share * len(content))]


DAMAGES: Mapping[str, Damage] = {
    "empty": lambda content: b"",
    "cut in the middle": cut(0.5),
    "cut near the end": cut(0.97),
    "flipped once": flipped(1),
    "flipped twice": flipped(2),
    "flipped thrice": flipped(3),
    "another file": lambda content: b"once upon a time\n",
    "zeros": lambda content: bytes(200),
    "UTF-16": lambda content: "{id} label\n".encode("utf-16"),
    "byte order mark": lambda content: b"\xef\xbb\xbf" + content,
    "twice": lambda content: content + content,
}
"""What may happen to any file."""

TEXTS: Mapping[str, Damage] = {
    "null": lambda content: b"null",
    "a number": lambda content: b"5",
    "a list of a number": lambda content: b"[5]",
    "a list of null": lambda content: b"[null]",
    "an empty object": lambda content: b"{}",
    "deep": lambda content: b"[" * 20_000,
    "deep and closed": lambda content: b"[" * 500 + b"]" * 500,
    "5,000 digits": lambda content: content.replace(b"1", b"1" * 5000, 1),
    "half a character": lambda content: content.replace(b'": "', b'": "\\ud800', 1),
    "half a character later": lambda content: b'": "\\udc00'.join(content.rsplit(b'": "', 1)),
    "a yes": lambda content: content.replace(b": 1,", b": true,").replace(b":1,", b":true,"),
}
"""What may stand in a file of text."""


@dataclass(frozen=True, slots=True)
class Read:
    """A file and the commands that read it."""

    file: str
    commands: tuple[str, ...]
    is_text: bool = True

    def damages(self) -> Iterator[tuple[str, Damage]]:
        """All that may have happened to it."""
        yield from DAMAGES.items()
        if self.is_text:
            yield from TEXTS.items()


SHOW = "graph show --from {tmp}/graph"
RUN = "run {tmp}/experiment.toml --model {tmp}/none --data {tmp}/cases.jsonl"
FILES: tuple[Read, ...] = (
    Read("cases.jsonl", ("data audit {tmp}/cases.jsonl",)),
    Read("released/reverse_edit.json", ("data audit {tmp}/released:conflict/reverse",)),
    Read("released/conflict_prompts.json", ("data show {tmp}/released:conflict/reverse",)),
    Read("experiment.toml", (RUN,)),
    Read("run/run.json", ("score {tmp}/run",)),
    Read("run/records/conflict-reverse.ft.00000.parquet", ("score {tmp}/run",), is_text=False),
    Read("results/conflict_results/ROME_reverse.json", ("score --authors-results {tmp}/results",)),
    Read("results/round_results/FT_easy.json", ("score --authors-results {tmp}/results",)),
    Read("results/round_results/easy_model.json", ("score --authors-results {tmp}/results",)),
    Read("edits.jsonl", ("edit --model {tmp}/none --edits {tmp}/edits.jsonl --out {out}",)),
    Read("stack/stack.json", ("edit --list --out {tmp}/stack",)),
    Read("graph/triples.tsv", (SHOW,)),
    Read("graph/entities.csv", (SHOW,)),
    Read("graph/relations.toml", (SHOW, "graph import {tmp}/graph --out {out}")),
    Read("graph/types.parquet", (SHOW,), is_text=False),
    Read("packed/triples.tsv.gz", ("graph show --from {tmp}/packed",), is_text=False),
    Read("packed/entities.tsv.zst", ("graph show --from {tmp}/packed",), is_text=False),
    Read("spoken/triples.nt", ("graph show --from {tmp}/spoken",)),
    Read("store/store.json", ("graph show --from {tmp}/store",)),
    *(
        Read(
            f"store/{table}.parquet",
            ("graph show --from {tmp}/store", "rules mine --from {tmp}/store"),
            is_text=False,
        )
        for table in ("facts", "entities", "relations", "aliases")
    ),
    Read(
        "rules.tsv",
        ("build --kind reverse --from {tmp}/graph --rules {tmp}/rules.tsv --out {out}.jsonl",),
    ),
    Read("dump.json", ("graph dump {tmp}/dump.json --relation P22 --out {out}",)),
    *(
        Read(
            f"text.{ending}",
            (
                f"train mend --model {{tmp}}/none --corpus {{tmp}}/text.{ending} "
                "--data {tmp}/starter --leave-out {tmp}/cases.jsonl --out {out}",
            ),
            is_text=ending == "jsonl",
        )
        for ending in ("txt", "jsonl", "tsv.gz")
    ),
)


def make_sound(folder: Path, tiny: Path, make_run: Callable[..., Path]) -> None:
    """Every file of the tables above, as it should be."""
    cases = build_cases(starter_graph(), "reverse", count=3)
    write_cases(folder / "cases.jsonl", cases)
    write_authors(folder / "released", cases)
    (folder / "experiment.toml").write_text('cases = 1\neditors = ["ft"]\n[settings.ft]\nlayer = 1')
    make_run(folder / "run", cases=2, data=("conflict/reverse", "round/easy"), editors=("ft",))
    _make_results(folder / "results")
    edit = {"prompt": "The capital of {} is", "subject": "Poland", "target": "Paris"}
    (folder / "edits.jsonl").write_text(json.dumps(edit) + "\n")
    make_stack(folder / "stack", tiny)
    _make_graphs(folder)
    (folder / "rules.tsv").write_text("P22>P40\n")
    dump = {"id": "Q1", "labels": {"en": {"value": "one"}}, "claims": {}}
    (folder / "dump.json").write_text("[\n" + json.dumps(dump) + ",\n]\n")
    texts = [f"{n} {TEXT[: 60 + n]}" for n in range(40)]
    (folder / "text.txt").write_text("\n\n".join(texts), "utf-8")
    (folder / "text.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in texts))
    rows = "".join(f"1\t{text}\n" for text in texts)
    (folder / "text.tsv.gz").write_bytes(gzip.compress(rows.encode(), mtime=0))


def make_stack(folder: Path, tiny: Path) -> None:
    """Two edits of the tiny model that change next to nothing."""
    model = LanguageModel.load(str(tiny))
    name = f"{model.mlp_out_name(1)}.weight"
    change = Dense(torch.full(tuple(model.weight(name).shape), 1e-6))
    origin = Provenance("FT()", ("…",), model.fingerprint, (1.0,), 0.1)
    request = Request(prompt="The capital of {} is", subject="Poland", target="Paris")
    made = Made((request,), "ft", Update({name: change}, (origin,)))
    Stack.open(folder, model).with_edits([made, made])


def damaged_updates(sound: Update) -> Iterator[tuple[str, dict[str, torch.Tensor], str]]:
    """Updates that no stack may take: what is wrong, tensors and history."""
    ((name, change),) = sound.changes.items()
    assert isinstance(change, Dense)
    origin = sound.history[0]
    told = {"editor": origin.editor, "edits": list(origin.edits), "losses": [], "seconds": 0.0}
    history = json.dumps([told | {"model": origin.model}])
    matrix = change.matrix
    yield "another shape", {f"{name}:dense": matrix[:-1].contiguous()}, history
    yield "unknown weight", {"model.layers.77.mlp.down_proj.weight:dense": matrix}, history
    yield "integers", {f"{name}:dense": matrix.long()}, history
    yield "not finite", {f"{name}:dense": matrix * float("nan")}, history
    yield "half a change", {f"{name}:B": matrix}, history
    yield (
        "factors that do not fit",
        {f"{name}:B": matrix[:, :2].contiguous(), f"{name}:A": matrix[:3].contiguous()},
        history,
    )
    yield "another model", {f"{name}:dense": matrix}, json.dumps([told | {"model": "f" * 32}])
    yield "deep history", {f"{name}:dense": matrix}, "[" * 5000
    yield "5,000 digits", {f"{name}:dense": matrix}, history.replace("0.0", "1" * 5000)
    yield "no history", {f"{name}:dense": matrix}, "{}"


def write_update(path: Path, tensors: dict[str, torch.Tensor], history: str) -> None:
    """As `Update.save` would, were it not for the checks."""
    save_file(tensors, path, metadata={"pitfalls": history})


def _make_results(folder: Path) -> None:
    p = {"rewrite": 0.25, "generation": [0.5, 0.125]}
    states = ("CS_post", "CS_pre", "CM_post", "CM_pre")
    edit = {"relation": {"id": "P22"}, "subject": {"id": "Q1", "label": "one"}}
    both = {"target_true": p, "target_new": p}
    away = {"edit": edit, "edit1": both, "edit2": both | {"others": [p]}}
    unedited = {"edit": edit, "model": {"target_new": p, "others": [p]}}
    for name, record in (
        ("conflict_results/ROME_reverse", dict.fromkeys(states, p)),
        ("round_results/FT_easy", away),
        ("round_results/easy_model", unedited),
    ):
        path = folder / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps([record, record]))


def _make_graphs(folder: Path) -> None:
    for name in ("graph", "packed", "spoken", "starter"):
        (folder / name).mkdir()
    graph = folder / "graph"
    rows = [f"Q{n}\tP999\tQ{n + 1}\t1990\t" for n in range(1, 30)]
    (graph / "triples.tsv").write_text(
        "\n".join(["subject\trelation\tobject\tstart\tend", *rows]) + "\n"
    )
    names = ["id,label,aliases", *(f'Q{n},"Thing {n}",no. {n}' for n in range(1, 31))]
    (graph / "entities.csv").write_text("\n".join(names) + "\n")
    (graph / "relations.toml").write_text(RELATIONS)
    types = {"entity": [f"Q{n}" for n in range(1, 31)], "type": ["Q500"] * 30}
    pq.write_table(pa.table(types), graph / "types.parquet")
    convert_folder(graph, folder / "store")
    packed = folder / "packed"
    (packed / "triples.tsv.gz").write_bytes(
        gzip.compress((graph / "triples.tsv").read_bytes(), mtime=0)
    )
    from zstandard import ZstdCompressor

    table = "\n".join(f"{n}".join(("Q", "\tThing ", "\t")) for n in range(1, 31))
    content = f"id\tlabel\taliases\n{table}\n".encode()
    (packed / "entities.tsv.zst").write_bytes(ZstdCompressor().compress(content))
    wd, label = "http://www.wikidata.org", "http://www.w3.org/2000/01/rdf-schema#label"
    lines = [f'<{wd}/entity/Q{n}> <{label}> "Thing \\u00e9 {n}"@en .' for n in range(1, 9)]
    lines += [f"<{wd}/entity/Q1> <{wd}/prop/direct/P22> <{wd}/entity/Q{n}> ." for n in range(2, 9)]
    (folder / "spoken" / "triples.nt").write_text("\n".join(lines) + "\n")
    _make_like_starter(folder / "starter")


def _make_like_starter(folder: Path) -> None:
    (folder / "relations.toml").write_text(RELATIONS)
    ids = range(1, 31)
    entities = ["id\tlabel\ttype", *(f"Q{n}\tThing {n}\tthing" for n in ids)]
    (folder / "entities.tsv").write_text("\n".join(entities) + "\n")
    facts = [f"Q{n}\tThing {n}\tP999\tQ{n + 1}\tThing {n + 1}" for n in ids[:-1]]
    header = "subject_id\tsubject\trelation\tobject_id\tobject"
    (folder / "facts.tsv").write_text("\n".join([header, *facts]) + "\n")


RELATIONS = """
[[relation]]
id = "P999"
label = "friend"
prompt = "The friend of {} is"
query = "Who is the friend of {}?"
paraphrases = ["{}'s friend is", "A friend of {} is"]
many = true
subject_type = "thing"
object_type = "thing"
"""
