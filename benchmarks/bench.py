"""How much faster the fast paths are than what the published code does, measured side by side.

The plain path takes one case at a time, whole texts, all positions, in float32, with transformers
as it comes. Every repeat times the plain path and then the fast ones, so that whatever else the
machine is doing falls on all of them. Results are compared: a fast path that is wrong is no path.

Example: python benchmarks/bench.py --edits 16 --repeats 5 --work rome --work ft
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Annotated

import contests
import torch
import typer
from gauges import Gauged, flops_of, peak_memory, peak_rate, tokens_through
from rich.box import MARKDOWN
from rich.console import Console
from rich.table import Table

from pitfalls.cases.collections import load_cases
from pitfalls.cli.progress import progress_on
from pitfalls.editors.editor import Job
from pitfalls.editors.table import editor_for
from pitfalls.errors import PitfallsError
from pitfalls.models.cost import clock
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.readout import Question, target_logprobs
from pitfalls.updates.update import Update

WORKS: dict[str, Callable[[int], contests.Contest]] = {
    "rome": lambda n: contests.fit("rome", n, 4),
    "memit": lambda n: contests.fit("memit", n, 4),
    "ft": lambda n: contests.fit("ft", n, 4),
    "mend": lambda n: contests.fit("mend", n, 8),
    "rome-paper": lambda n: contests.fit("rome", n, 2, data=contests.RELEASED, paper=True),
    "memit-paper": lambda n: contests.fit("memit", n, 2, data=contests.RELEASED, paper=True),
    "ft-paper": lambda n: contests.fit("ft", n, 2, data=contests.RELEASED, paper=True),
    "round": lambda n: contests.observation("round/easy", n, 4),
    "round-2": lambda n: contests.observation("round/easy", n, 2, objects=2),
    "round-10": lambda n: contests.observation("round/easy", n, 2, objects=10),
    "composite": lambda n: contests.observation("conflict/composite", n, 2),
    "moments": lambda n: contests.moments(10_000, 1_000),
    "run": lambda n: contests.experiment(max(1, n // 4), 1),
}
"""Name → the work with so many edits, or cases, side by side."""

FAST = ("float32", "bfloat16")
SWEEP = (1, 4, 32, 256)
SWEPT = ("conflict/coverage", "round/easy", "round/hard", "conflict/reverse", "conflict/composite")
"""Data sets whose first edits are swept over."""


@dataclass
class Outcome:
    """One contest in one dtype."""

    contest: contests.Contest
    dtype: str
    flops: float
    """Per unit, worked on alone: what batches add by padding is no use."""
    plain: list[float] = field(default_factory=list)
    fast: list[float] = field(default_factory=list)
    """Seconds per unit, repeat by repeat."""
    distance: float = 0.0
    tokens: float = 0.0
    """Per unit."""
    padding: float = 0.0

    @property
    def ratios(self) -> list[float]:
        """How many times faster, repeat by repeat."""
        return [plain / fast for plain, fast in zip(self.plain, self.fast, strict=True)]


def compete(
    contest: contests.Contest, plain: LanguageModel, fast: dict[str, LanguageModel], repeats: int
) -> list[Outcome]:
    """Time everything `repeats` times in turn, after a first round that only counts."""
    alone = next(iter(fast.values()))
    contest.counted(alone)  # what is prepared once is not counted
    flops = flops_of(contest.counted, alone) / contest.plain_units
    outcomes = [Outcome(contest, name, flops) for name in fast]
    for _ in range(repeats):
        seconds, expected = timed(contest.plain, Gauged.of(plain))
        for outcome in outcomes:
            outcome.plain.append(seconds / contest.plain_units)
            watched = Gauged.of(fast[outcome.dtype])
            with tokens_through(watched) as tokens:
                quick, got = timed(contest.fast, watched)
            outcome.fast.append(quick / contest.fast_units)
            outcome.tokens, outcome.padding = sum(tokens) / contest.fast_units, watched.padding()
            outcome.distance = contest.distance(expected, got)
    return outcomes


def timed(work: contests.Work, model: LanguageModel) -> tuple[float, object]:
    """Seconds, and what came of it."""
    begin = clock(model.device)
    result = work(model)
    return clock(model.device) - begin, result


def as_table(outcomes: Sequence[Outcome], peaks: dict[str, float]) -> Table:
    """Medians over repeats; ratios with their least and greatest."""
    table = Table(
        *("work", "weights", "plain s", "fast s", "times faster", "tokens/s", "of peak"),
        *("padding", "distance"),
        box=MARKDOWN,
    )
    for one in outcomes:
        seconds, ratios = median(one.fast), one.ratios
        tokens = 1 if one.contest.unit == "token" else one.tokens
        table.add_row(
            f"{one.contest.name}, per {one.contest.unit}",
            one.dtype,
            f"{median(one.plain):.3g}",
            f"{seconds:.3g}",
            f"{median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})",
            f"{tokens / seconds:,.0f}",
            f"{100 * one.flops / seconds / peaks[one.dtype]:.0f} %",
            f"{100 * one.padding:.0f} %",
            f"{one.distance:.0e}",
        )
    return table


def sweep(editor: str, model: LanguageModel, sizes: Sequence[int]) -> Iterator[str]:
    """How time, success and memory grow with the number of edits, each alone or all in one job."""
    yield "| edits | apart, s per edit | succeed | in one job | succeed | peak memory so far |"
    yield "|---" * 6 + "|"
    edits = [case.first for data in SWEPT for case in load_cases(data)]
    edits = list({(edit.subject, edit.relation): edit for edit in edits}.values())
    for size in sizes:
        row = [str(size)]
        for jobs in ([Job((edit,)) for edit in edits[:size]], [Job(tuple(edits[:size]))]):
            seconds, updates = timed(lambda m, jobs=jobs: editor_for(editor, m).fit(m, jobs), model)
            row += [f"{seconds / size:.3f}", f"{100 * success(model, jobs, updates):.0f} %"]
        yield f"| {' | '.join(row)} | {peak_memory():.2f} GiB |"


def success(model: LanguageModel, jobs: Sequence[Job], updates: Sequence[Update]) -> float:
    """Share of edits after which the new object is likelier than the old one."""
    pairs = [(edit, u) for job, u in zip(jobs, updates, strict=True) for edit in job.edits]
    questions = [
        Question(edit.relation.prompt.format(edit.subject.label), entity.label, update.changes)
        for edit, update in pairs
        for entity in (edit.new_object, edit.object)
    ]
    means = [answer.mean().item() for answer in target_logprobs(model, questions)]
    return sum(new > old for new, old in zip(means[::2], means[1::2], strict=True)) / len(pairs)


def main(
    model: Annotated[str, typer.Option(help="As in `pitfalls run`.")] = "smollm2-135m",
    edits: Annotated[int, typer.Option(help="Edits or cases side by side.", min=1)] = 16,
    repeats: Annotated[int, typer.Option(help="How often each side is timed.", min=1)] = 5,
    work: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(WORKS)}; repeat.")] = None,
    dtype: Annotated[list[str] | None, typer.Option(help="Of the fast paths; repeat.")] = None,
    device: str = "cpu",
    sweep_editor: Annotated[
        str | None, typer.Option("--sweep", help="Time this editor at 1 to 256 edits instead.")
    ] = None,
) -> None:
    """Time the fast paths against the plain one, side by side."""
    progress, console = progress_on(), Console(highlight=False)
    try:
        chosen = [WORKS[name](edits) for name in work or WORKS]  # missing data is told at once
        fast = {
            name: LanguageModel.load(model, dtype=name, device=device, progress=progress)
            for name in dtype or FAST
        }
        peaks = {name: peak_rate(loaded) for name, loaded in fast.items()}
        told = ", ".join(f"{name} {rate / 1e9:.0f} GFLOP/s" for name, rate in peaks.items())
        console.print(
            f"{model} on {device}, {torch.get_num_threads()} threads, torch "
            f"{torch.__version__}; peak of matrix products: {told}",
            soft_wrap=True,
        )
        if sweep_editor:
            for name, loaded in fast.items():
                console.print(f"\n{sweep_editor}, {name}")
                for line in sweep(sweep_editor, loaded, SWEEP):
                    console.print(line, soft_wrap=True)
            return
        plain = LanguageModel.load(model, device=device, plain=True, progress=progress)
        outcomes: list[Outcome] = []
        for contest in chosen:
            with progress.stage(f"timing: {contest.name}"):
                outcomes += compete(contest, plain, fast, repeats)
    except PitfallsError as error:
        raise SystemExit(f"bench: {error}") from error
    console.print(f"{edits} edits, medians of {repeats} repeats\n")
    Console(highlight=False, width=200).print(as_table(outcomes, peaks))
    console.print(f"\npeak memory: {peak_memory():.2f} GiB, three models included")


if __name__ == "__main__":
    typer.run(main)
