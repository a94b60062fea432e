"""The pieces of work that are timed, each in the plain way and in the fast one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import nan
from typing import Any

from torch import Tensor

from pitfalls.bench.carry_out import Unedited, carry_out
from pitfalls.bench.chunks import cut, load_all
from pitfalls.bench.experiment import Experiment
from pitfalls.bench.observe import observe
from pitfalls.bench.states import reach_states
from pitfalls.cases.case import Case
from pitfalls.cases.collections import load_cases
from pitfalls.cases.plan import plan
from pitfalls.cases.steps import State
from pitfalls.editors.editor import Job
from pitfalls.editors.names import EditorName
from pitfalls.editors.table import DEFAULT_EDITORS, editor_for
from pitfalls.facts import Entity
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.moments import MomentSettings, estimate
from pitfalls.models.text.corpus import load_corpus
from pitfalls.progress import SILENT
from pitfalls.records.record import Record
from pitfalls.testing import distance
from pitfalls.updates.update import Update
from pitfalls.vocabulary import DATASETS

Work = Callable[[LanguageModel], Any]
"""Does it on a model."""

BASE_STEPS = 2
"""Steps of the searches before observation; reading takes as long after poor edits as after good.
"""


@dataclass(frozen=True)
class Contest:
    """The same work, once a piece at a time and once side by side."""

    name: str
    unit: str
    plain_units: int
    plain: Work
    fast_units: int
    fast: Work
    distance: Callable[[Any, Any], float]
    """How far what the two return is apart, where both did the same."""
    counted: Work
    """As many units as the plain side has, done as the fast side does them, to count arithmetic."""


PAPER: dict[str, dict[str, Any]] = {
    "rome": {"contexts": {"words": [""], "lengths": [[5, 10], [10, 10]]}, "value": {"steps": 20}},
    "memit": {
        "contexts": {
            "words": ["The", "Therefore", "Because", "I", "You"],
            "lengths": [[10, 5]],
        },
        "value": {"steps": 25},
    },
    "ft": {"steps": 25},
}
"""Editor → the paper's own effort: 21 context templates for ROME, 6 for MEMIT."""

RELEASED = "released-gpt-j:conflict/reverse"
"""Edits that the paper made; their targets have up to 28 tokens."""


def fit(
    editor: str,
    edits: int,
    plain_edits: int,
    *,
    data: str = "conflict/coverage",
    paper: bool = False,
) -> Contest:
    """Independent edits: one after the other, or all in one call.

    Args:
        editor: name of the editor.
        edits: how many are fitted side by side.
        plain_edits: how many are fitted one after the other.
        data: cases whose first edits are made.
        paper: with the paper's contexts and steps instead of the model's presets.
    """
    jobs = [Job((case.first,)) for case in load_cases(data, edits)]
    settings = PAPER[editor] if paper else {}

    def in_turn(model: LanguageModel) -> list[Update]:
        one_by_one = editor_for(editor, model, settings)
        return [update for job in jobs[:plain_edits] for update in one_by_one.fit(model, [job])]

    def side_by_side(model: LanguageModel) -> list[Update]:
        return editor_for(editor, model, settings).fit(model, jobs)

    def apart(plain: list[Update], fast: list[Update]) -> float:
        return max(distance(f, p) for p, f in zip(plain, fast, strict=False))

    name = f"{editor} fit" + ", released edits" * paper
    return Contest(name, "edit", plain_edits, in_turn, edits, side_by_side, apart, in_turn)


def observation(data: str, cases: int, plain_cases: int, *, objects: int | None = None) -> Contest:
    """All readings of some cases in all their states; each of `objects` true objects, if given."""
    chosen = list(load_cases(data, cases))
    if objects is not None:
        spare = [one for case in load_cases(data) for one in case.true_objects]
        chosen = [with_objects(case, objects, spare) for case in chosen]
    plans = [plan(case) for case in chosen]
    reached: list[dict[State, Update]] = []

    def read(model: LanguageModel, count: int) -> list[float]:
        if not reached:  # once, and not in the time that counts: the first call is not timed
            editor = editor_for("rome", model, {"value": {"steps": BASE_STEPS}})
            reached.extend(reach_states(editor, model, plans, progress=SILENT))
        some = plans[:count]
        read = observe(model, some, reached[:count], [list(one.states) for one in some])
        readings = [reading for case in read for state in case.values() for reading in state]
        return [value for one in readings for prompt in one.logprobs for value in prompt]

    def apart(plain: list[float], fast: list[float]) -> float:
        return max(abs(p - f) for p, f in zip(plain, fast, strict=False))

    in_turn, side_by_side = partial(read, count=plain_cases), partial(read, count=cases)
    name = f"observation, {data}" + f", {objects} objects" * (objects is not None)
    return Contest(name, "case", plain_cases, in_turn, cases, side_by_side, apart, in_turn)


def with_objects(case: Case, count: int, spare: Sequence[Entity]) -> Case:
    """The case with so many true objects, from `spare` where it has fewer.

    What is true does not matter here; how long the labels are does.
    """
    every = dict.fromkeys((*case.true_objects, *spare))
    return replace(case, true_objects=tuple(every)[:count])


def moments(tokens: int, plain_tokens: int) -> Contest:
    """C of MEMIT's layers: a text and a layer at a time, or all layers in one pass over batches."""
    corpus = load_corpus(MomentSettings().corpus)

    def in_turn(model: LanguageModel) -> list[Tensor]:
        settings = MomentSettings(max_tokens=plain_tokens, tolerance=0, token_budget=1)
        layers = editor_for("memit", model).layers
        return [estimate(model, [n], corpus, settings)[n].matrix for n in layers]

    def in_one_pass(model: LanguageModel, tokens: int) -> list[Tensor]:
        settings = MomentSettings(max_tokens=tokens, tolerance=0)
        found = estimate(model, editor_for("memit", model).layers, corpus, settings)
        return [moment.matrix for moment in found.values()]

    def apart(plain: list[Tensor], fast: list[Tensor]) -> float:
        same = tokens == plain_tokens
        pairs = zip(plain, fast, strict=True)
        return max(((f - p).norm() / p.norm()).item() for p, f in pairs) if same else nan

    all_at_once, some = (partial(in_one_pass, tokens=n) for n in (tokens, plain_tokens))
    return Contest(
        "second moments", "token", plain_tokens, in_turn, tokens, all_at_once, apart, some
    )


def experiment(cases: int, plain_cases: int) -> Contest:
    """Default experiment of `pitfalls run`: every editor on every kind of case."""
    names = [EditorName.parse(name) for name in DEFAULT_EDITORS]
    chunks = {count: load_all(Experiment(cases=count)) for count in (cases, plain_cases)}

    def chunk_by_chunk(model: LanguageModel, count: int, size: int) -> list[Record]:
        editors = {name: editor_for(name.base, model) for name in names}
        records = []
        for side_by_side in cut(chunks[count], names, size=size):
            unedited = Unedited(model, side_by_side)
            for chunk in side_by_side:
                made = carry_out(model, editors[chunk.editor], chunk, unedited)
                records += [record for listed in made.values() for record in listed]
        return records

    def apart(plain: list[Record], fast: list[Record]) -> float:
        return nan  # edits of edits: the laws compare them, in float32 and within tolerances

    return Contest(
        "the default run",
        "case",
        plain_cases * len(DATASETS),
        partial(chunk_by_chunk, count=plain_cases, size=1),
        cases * len(DATASETS),
        partial(chunk_by_chunk, count=cases, size=Experiment().chunk),
        apart,
        partial(chunk_by_chunk, count=plain_cases, size=1),
    )
