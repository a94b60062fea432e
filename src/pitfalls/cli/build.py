"""`pitfalls build`: cases from a graph."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from pitfalls.cases.build import Built, needed_relations
from pitfalls.cases.build import build as build_cases
from pitfalls.cases.card import data_card, drafted
from pitfalls.cases.case_file import write_cases
from pitfalls.cases.collections import load_cases
from pitfalls.cases.export import write_authors
from pitfalls.cases.order import PAPER_RULES, Order
from pitfalls.cases.plan import subjects_of
from pitfalls.cli.knowing import ties_known_by
from pitfalls.cli.sources import SOURCE_HELP, open_source
from pitfalls.disk import write_bytes
from pitfalls.door.paths import is_file, place
from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.graph.by_name import STARTER
from pitfalls.rules.rule import Rule, parse_rule
from pitfalls.rules.rule_file import read_rules
from pitfalls.settings import LARGEST_SEED
from pitfalls.vocabulary import KIND_WORDS, CaseKind

Layout: TypeAlias = Literal["own", "authors"]
PAPER = "paper"


def build(
    kind: Annotated[str, typer.Option(help=f"Kind of the cases: {', '.join(KIND_WORDS)}.")],
    out: Annotated[
        Path, typer.Option(help="The file to write, JSON lines; its card gets the ending .md.")
    ],
    *,
    source: Annotated[str, typer.Option("--from", help=SOURCE_HELP)] = STARTER,
    rules: Annotated[
        list[str] | None,
        typer.Option(help="`paper`, a file of rules, or a rule such as P22>P40; repeat."),
    ] = None,
    relation: Annotated[
        list[str] | None,
        typer.Option(help="Relation of coverage cases or round trips, such as P22; repeat."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="How many cases.")] = 60,
    seed: Annotated[
        int, typer.Option(min=0, max=LARGEST_SEED, help="The same seed gives the same bytes.")
    ] = 0,
    exclusive: Annotated[
        bool, typer.Option("--exclusive", help="Only relations of one object at a time.")
    ] = False,
    consistent: Annotated[
        bool, typer.Option("--consistent", help="No two cases edit the same fact differently.")
    ] = False,
    leave_out: Annotated[
        list[str] | None,
        typer.Option(help="Cases whose subjects no case may be about; repeat."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Keep composite cases whose tied fact this model knows."),
    ] = None,
    licence: Annotated[str, typer.Option(help="Of the graph, for the card.")] = "",
    layout: Annotated[
        Layout, typer.Option(help="`authors` writes their files; --out is a folder then.")
    ] = "own",
) -> None:
    """Build cases from a graph and write them to a file that `--data` takes.

    Example: pitfalls build --kind reverse --count 100 --seed 1 --out reverse.jsonl
    """
    if kind not in KIND_WORDS:
        raise UnknownNameError("kind of case", kind, KIND_WORDS)
    weights = _rules(rules or [PAPER])
    order = Order(
        kind=kind,
        count=count,
        seed=seed,
        rules=tuple(weights),
        weights=weights,
        relations=tuple(relation or ()),
        exclusive=exclusive,
        consistent=consistent,
        avoid=subjects_of(case for name in leave_out or () for case in load_cases(name)),
    )
    if model is not None and kind != "composite":
        raise PitfallsError(f"--model judges tied facts, {kind} cases have none; leave it out")
    _refuse_idle(kind, relation or (), rules or ())
    if layout == "own" and out.suffix == ".md":
        raise PitfallsError(f"--out {out}: .md is the card's ending; take another, like .jsonl")
    opened = open_source(source, needed_relations(order))
    knows = None if model is None else ties_known_by(model, opened.graph)
    built = build_cases(opened.graph, order, knows=knows)
    origin = _origin(order, source, rules or [], leave_out or [], model)
    path = _write(built, out, layout, origin)
    card = data_card(built, order, opened, origin=origin, licence=licence)
    write_bytes(path.with_suffix(".md"), card.encode("utf-8"))
    print(f"{path}: {len(built.cases)} {kind} cases, told of in {path.with_suffix('.md').name}")
    if found := drafted(built.cases, opened.graph):
        names = ", ".join(f"{each.id} ({each.label})" for each in found)
        print(f"prompts drafted from labels, look at them in the card: {names}", file=sys.stderr)


def _refuse_idle(kind: CaseKind, relations: Sequence[str], rules: Sequence[str]) -> None:
    """Refuse an option that would change nothing, which nobody would notice."""
    if relations and kind in ("reverse", "composite"):
        raise PitfallsError(f"{kind} cases take their relations from rules: give --rules instead")
    if relations and rules:
        raise PitfallsError(f"{kind} cases are about --relation or --rules; give one of them")


def _rules(words: Sequence[str]) -> dict[Rule, float]:
    """What `--rules` means, each rule once, and the weights: 1 for what is named.

    Raises:
        PitfallsError: a word is neither of the three things it may be.
    """
    found: dict[Rule, float] = {}
    for word in words:
        if word == PAPER:
            found |= dict.fromkeys(PAPER_RULES, 1.0)
        elif ">" in word:
            found[parse_rule(word)] = 1.0
        elif is_file(place(word)):
            found = read_rules(place(word)) | found
        else:
            raise PitfallsError(f"--rules {word}: no such file; give one, `paper` or P22>P40")
    return found


def _write(built: Built, out: Path, layout: Layout, origin: str) -> Path:
    if layout == "authors":
        return write_authors(out, built.cases)
    write_cases(out, built.cases, origin=origin)
    return out


def _origin(
    order: Order, source: str, rules: Sequence[str], leave_out: Sequence[str], model: str | None
) -> str:
    """The command line, without what does not change the cases: the place of the graph counts not.

    A graph in another folder is the same graph; the card has its checksums.
    """
    words = ["pitfalls", "build", "--kind", order.kind]
    words += ["--count", str(order.count), "--seed", str(order.seed)]
    words += ["--from", Path(source).name] if source != STARTER else []
    for option, values in (
        ("--rules", rules),
        ("--relation", order.relations),
        ("--leave-out", leave_out),
    ):
        words += [word for value in values for word in (option, value)]
    words += ["--model", Path(model).name] if model is not None else []
    words += ["--exclusive"] if order.exclusive else []
    words += ["--consistent"] if order.consistent else []
    return shlex.join(words)
