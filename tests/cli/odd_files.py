"""Damage to every file that a command reads."""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

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
"""Damage that may befall any file."""

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
"""Contents of a damaged file of text."""


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
    Read("stack/stack.json", ("stack list {tmp}/stack", "stack show {tmp}/stack")),
    Read("stack/0001.safetensors", ("stack show {tmp}/stack 1",), is_text=False),
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
