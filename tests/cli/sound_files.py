"""Every file that a command reads, as it should be, and updates that no stack may take."""

import gzip
import json
from collections.abc import Callable, Iterator
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


def make_sound(folder: Path, tiny: Path, make_run: Callable[..., Path]) -> None:
    """Every file of the table of files, as it should be."""
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
