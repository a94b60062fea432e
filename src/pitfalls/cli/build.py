"""`pitfalls build`: cases from a graph."""

import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from pitfalls.cases.build import Built, Knows, needed_relations
from pitfalls.cases.build import build as build_cases
from pitfalls.cases.card import data_card, drafted
from pitfalls.cases.case_file import write_cases
from pitfalls.cases.collections import load_cases
from pitfalls.cases.export import write_authors
from pitfalls.cases.kinds.table import KINDS
from pitfalls.cases.order import PAPER_RULES, Order
from pitfalls.cases.plan import subjects_of
from pitfalls.cli.engines import Memory, StoreEngine, limit_of
from pitfalls.cli.progress import progress_on
from pitfalls.cli.sources import SOURCE_HELP, open_source
from pitfalls.disk import write_bytes
from pitfalls.door.paths import is_file, place
from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.graph.by_name import STARTER, find_store
from pitfalls.graph.graph import Graph
from pitfalls.graph.select import Select, read_selected
from pitfalls.rules.engine_select import select_by
from pitfalls.rules.engines import open_engine
from pitfalls.rules.rule import Rule
from pitfalls.rules.rule_file import read_rules
from pitfalls.rules.table import looks_like_rule, parse_rule
from pitfalls.settings import LARGEST_SEED
from pitfalls.vocabulary import KIND_WORDS, CaseKind

Layout: TypeAlias = Literal["own", "authors"]
PAPER = "paper"


Kind: TypeAlias = Annotated[str, typer.Option(help=f"Kind of the cases: {', '.join(KIND_WORDS)}.")]
Out: TypeAlias = Annotated[
    Path, typer.Option(help="The file to write, JSON lines; its card gets the ending .md.")
]
Source: TypeAlias = Annotated[str, typer.Option("--from", help=SOURCE_HELP)]
Rules: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(help="`paper`, a file of rules, or a rule such as P22>P40; repeat."),
]
Relations: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(help="Relation of coverage cases or round trips, such as P22; repeat."),
]
Count: TypeAlias = Annotated[int, typer.Option(min=1, help="Number of cases.")]
SameSeed: TypeAlias = Annotated[
    int, typer.Option(min=0, max=LARGEST_SEED, help="The same seed gives the same bytes.")
]
Exclusive: TypeAlias = Annotated[
    bool, typer.Option("--exclusive", help="Only relations of one object at a time.")
]
Consistent: TypeAlias = Annotated[
    bool, typer.Option("--consistent", help="No two cases edit the same fact differently.")
]
LeaveOut: TypeAlias = Annotated[
    list[str] | None, typer.Option(help="Cases whose subjects no case may be about; repeat.")
]
KnownBy: TypeAlias = Annotated[
    str | None, typer.Option(help="Keep composite cases whose tied fact this model knows.")
]
Licence: TypeAlias = Annotated[str, typer.Option(help="Licence of the graph, for the card.")]
LayoutOption: TypeAlias = Annotated[
    Layout, typer.Option(help="`authors` writes their files; --out is a folder then.")
]


def build(
    kind: Kind,
    out: Out,
    *,
    source: Source = STARTER,
    rules: Rules = None,
    relation: Relations = None,
    count: Count = 60,
    seed: SameSeed = 0,
    exclusive: Exclusive = False,
    consistent: Consistent = False,
    leave_out: LeaveOut = None,
    model: KnownBy = None,
    licence: Licence = "",
    engine: StoreEngine = None,
    memory: Memory = None,
    layout: LayoutOption = "own",
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
    _refuse_idle(kind, relation or (), rules or (), model)
    _refuse_card(out, layout)
    with _selecting(source, engine, memory) as select:
        opened = open_source(source, needed_relations(order), select)
    built = build_cases(opened.graph, order, knows=_judge(model, opened.graph))
    origin = _origin(order, source, rules or [], leave_out or [], model)
    path = _write(built, out, layout, origin)
    card = data_card(built, order, opened, origin=origin, licence=licence)
    write_bytes(path.with_suffix(".md"), card.encode("utf-8"))
    _tell(kind, built, opened.graph, path)


@contextmanager
def _selecting(source: str, engine: str | None, memory: str | None) -> Iterator[Select]:
    """Reader of a store's tables: pyarrow, or the engine that was asked for."""
    if engine is None:
        if memory is not None:
            raise PitfallsError("--memory is that of an --engine; give one, or leave it out")
        yield read_selected
        return
    if find_store(source) is None:
        raise PitfallsError(f"--engine reads a store, --from {source} is none; leave it out")
    with open_engine(engine, limit_of(memory)) as opened:
        yield select_by(opened)


def _judge(model: str | None, graph: Graph) -> Knows | None:
    """A judge of composite cases, where a model is named."""
    if model is None:
        return None
    from pitfalls.bench.knowing import ties_known_by  # torch, only where it is asked for
    from pitfalls.models.language_model import LanguageModel

    return ties_known_by(LanguageModel.load(model, progress=progress_on()), graph)


def _tell(kind: CaseKind, built: Built, graph: Graph, path: Path) -> None:
    """Say what was written, and which prompts nobody has looked at."""
    card = path.with_suffix(".md").name
    print(f"{path}: {len(built.cases)} {kind} cases, described in {card}")
    if found := drafted(built.cases, graph):
        names = ", ".join(f"{each.id} ({each.label})" for each in found)
        print(f"prompts drafted from labels, look at them in the card: {names}", file=sys.stderr)


def _refuse_card(out: Path, layout: Layout) -> None:
    if layout == "own" and out.suffix == ".md":
        raise PitfallsError(f"--out {out}: .md is the card's ending; take another, like .jsonl")


def _refuse_idle(
    kind: CaseKind, relations: Sequence[str], rules: Sequence[str], model: str | None
) -> None:
    """Refuse an option that would change nothing, which nobody would notice."""
    if model is not None and kind != "composite":
        raise PitfallsError(f"--model judges tied facts, {kind} cases have none; leave it out")
    if relations and (recipe := KINDS[kind].recipe) is not None and recipe.takes_rules:
        raise PitfallsError(f"{kind} cases take their relations from rules: give --rules instead")
    if relations and rules:
        raise PitfallsError(f"{kind} cases are about --relation or --rules; give one of them")


def _rules(words: Sequence[str]) -> dict[Rule, float]:
    """The rules that `--rules` names, each once, with their weights: 1 outside a file.

    Raises:
        PitfallsError: a word is no rule, no file and not `paper`.
    """
    found: dict[Rule, float] = {}
    for word in words:
        if word == PAPER:
            found |= dict.fromkeys(PAPER_RULES, 1.0)
        elif looks_like_rule(word):
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
    """The command line, without what does not change the cases.

    The folder of the graph is left out as well: the same graph may lie elsewhere, and the card has
    its checksums.
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
