"""How much faster the fast paths are than the plain ones, both timed in this run.

Every repeat times the plain path and then the fast one on the same work, so that whatever else the
machine is doing falls on both. Results are compared as well: a fast path that is wrong is no path.

Example: python benchmarks/bench.py --edits 8 --repeats 5
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from typing import Annotated

import torch
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from torch import Tensor

from pitfalls.cases.collections import load_cases
from pitfalls.cases.plan import plan
from pitfalls.cli.progress import progress_on
from pitfalls.editors.contexts import Contexts
from pitfalls.editors.editor import Job
from pitfalls.editors.objective import Search, search_rows
from pitfalls.editors.rome import Rome
from pitfalls.editors.table import editor_for
from pitfalls.editors.values import find_values
from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.passes import TailReplay, WholeText
from pitfalls.models.readout import Question, plain_target_logprobs, target_logprobs

CONTEXTS = Contexts(
    templates=(
        "{}",
        "The report that came out last week said so too. {}",
        "Therefore it is worth a second look at the facts. {}",
        "Because nobody had asked, nobody had an answer. {}",
        "I have heard it from several people by now. {}",
        "You may find this in any good book. {}",
    )
)
"""Written out, so that models that cannot go on from a word can be timed too."""


@dataclass(frozen=True, slots=True)
class Contest:
    """The same work done in two ways."""

    work: str
    edits: int
    """How many edits the work is for; seconds are told per edit."""
    plain: Callable[[], list[Tensor]]
    fast: Callable[[], list[Tensor]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Seconds of every repeat, and how far the two results are apart."""

    plain: list[float]
    fast: list[float]
    distance: float
    """Largest relative distance between two results of one piece of work."""

    @property
    def ratios(self) -> list[float]:
        """How many times faster, repeat by repeat."""
        return [plain / fast for plain, fast in zip(self.plain, self.fast, strict=True)]


def time_both(contest: Contest, *, repeats: int) -> Outcome:
    """Run both sides `repeats` times in turn, after a first fast run that is not counted."""
    contest.fast()
    plain, fast, distances = [], [], []
    for _ in range(repeats):
        seconds, slow_results = _timed(contest.plain)
        plain.append(seconds)
        seconds, results = _timed(contest.fast)
        fast.append(seconds)
        pairs = zip(results, slow_results, strict=True)
        distances += [((a - b).norm() / b.norm()).item() for a, b in pairs]
    return Outcome(plain, fast, max(distances))


def _timed(work: Callable[[], list[Tensor]]) -> tuple[float, list[Tensor]]:
    begin = time.perf_counter()
    results = work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - begin, results


def value_contest(model: LanguageModel, editor: Rome, edits: int, steps: int) -> Contest:
    """ROME's search for v*: all edits side by side by tail replay, or alone on whole texts."""
    contexts = editor.contexts.of(model)
    chosen = [case.first for case in load_cases("conflict/coverage", edits)]
    searches = [Search(search_rows(model, edit, contexts), {}) for edit in chosen]
    find = partial(
        find_values,
        model,
        layer=editor.layer,
        site="mlp",
        settings=replace(editor.value, steps=steps, stop_loss=0.0),
        token_budget=editor.token_budget,
    )
    return Contest(
        f"search for v*, {steps} steps",
        len(searches),
        plain=lambda: [
            found.value for one in searches for found in find([one], text_pass=WholeText)
        ],
        fast=lambda: [found.value for found in find(searches, text_pass=TailReplay)],
    )


def reading_contest(model: LanguageModel, editor: Rome, edits: int) -> Contest:
    """Probabilities after an edit: prompts shared and batched, or one question at a time."""
    cases = load_cases("conflict/coverage", edits)
    quick = replace(editor, value=replace(editor.value, steps=2))
    updates = quick.fit(model, [Job((case.first,)) for case in cases])
    questions = [
        Question(prompt, probe.target, update.changes)
        for case, update in zip(cases, updates, strict=True)
        for probe in plan(case).probes["theta_m"]
        for prompt in probe.prompts
    ]
    return Contest(
        f"reading {len(questions) // len(cases)} targets",
        len(cases),
        plain=lambda: plain_target_logprobs(model, questions),
        fast=lambda: target_logprobs(model, questions),
    )


def as_table(contests: Sequence[Contest], outcomes: Sequence[Outcome]) -> Table:
    """Seconds per edit as the median over repeats, ratios with their least and greatest."""
    table = Table(
        "work", "plain s/edit", "fast s/edit", "times faster", "distance", box=SIMPLE_HEAD
    )
    for contest, outcome in zip(contests, outcomes, strict=True):
        ratios = outcome.ratios
        table.add_row(
            contest.work,
            f"{median(outcome.plain) / contest.edits:.3f}",
            f"{median(outcome.fast) / contest.edits:.3f}",
            f"{median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})",
            f"{outcome.distance:.0e}",
        )
    return table


def main(
    model: Annotated[str, typer.Option(help="As in `pitfalls run`.")] = "smollm2-135m",
    edits: Annotated[int, typer.Option(help="How many edits share the work.", min=1)] = 4,
    repeats: Annotated[int, typer.Option(help="How often each side is timed.", min=3)] = 3,
    steps: Annotated[int, typer.Option(help="Of the search; editors take 20.", min=2)] = 5,
    dtype: str = "float32",
    device: str = "cpu",
) -> None:
    """Time the fast paths against the plain ones, side by side."""
    progress = progress_on()
    try:
        loaded = LanguageModel.load(model, dtype=dtype, device=device, progress=progress)
        editor = editor_for("rome", loaded)
        assert isinstance(editor, Rome)
        editor = replace(editor, contexts=CONTEXTS, moments=None)  # not a part of what is timed
        contests, outcomes = [], []
        for prepare in (partial(value_contest, steps=steps), reading_contest):
            contests.append(prepare(loaded, editor, edits))
            with progress.stage(f"timing: {contests[-1].work}"):
                outcomes.append(time_both(contests[-1], repeats=repeats))
    except PitfallsError as error:
        raise SystemExit(f"bench: {error}") from error
    console = Console(highlight=False)
    console.print(
        f"{model}, {dtype} on {device}, {torch.get_num_threads()} threads, torch "
        f"{torch.__version__}; {edits} edits, median of {repeats} repeats",
        soft_wrap=True,
    )
    console.print(as_table(contests, outcomes))


if __name__ == "__main__":
    typer.run(main)
