"""Forecast of the time and memory of a run, before any weights are loaded."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import torch

from pitfalls.bench.as_taken import as_taken
from pitfalls.bench.check import checked_cases
from pitfalls.bench.chunks import cut
from pitfalls.bench.experiment import Experiment
from pitfalls.cases.plan import plan
from pitfalls.cases.steps import Plan, Probe
from pitfalls.editors.editor import Editor
from pitfalls.editors.names import editors_named
from pitfalls.models.cost import Cost, calibrated_rate
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.tokens import tokenize_target
from pitfalls.models.weights.auto import memory_of
from pitfalls.models.weights.quantised import PACKINGS
from pitfalls.models.weights.spread import SPREAD
from pitfalls.progress import SILENT, Progress

EFFICIENCY = 0.5
"""Share of the rate of matrix products that whole fits and readings reach (BENCHMARKS.md)."""

LIBRARIES = 0.7 * 2**30
"""Bytes that Python, torch and transformers hold."""

KEPT = 16
"""Numbers, in hidden states and half as many in MLP states, that a token leaves in a block for the
way backwards: an estimate."""

BATCH = 768
"""Tokens in one forward pass of a fit: the default of the editors' token budgets."""


@dataclass(frozen=True, slots=True)
class Line:
    """One editor's part."""

    editor: str
    cases: int
    edits: int
    tokens: float
    """Tokens that go through the whole model once, whichever way: block passes by blocks."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """Estimates; seconds and bytes should be right within a factor of two."""

    lines: tuple[Line, ...]
    """The unedited model's readings come first."""
    memory: float
    """Bytes at the peak."""
    device: str
    """Device that the run would take."""
    dtype: str
    """Dtype of the weights that it would take."""
    room: int | None
    """Bytes of memory of that device; None where that is not known."""

    @property
    def seconds(self) -> float:
        """Seconds of the whole run, downloads and second moments aside."""
        return sum(line.seconds for line in self.lines)


def forecast(experiment: Experiment, *, progress: Progress = SILENT) -> Forecast:
    """Add up what every fit and every reading of the experiment costs.

    Raises:
        PitfallsError: wrong names, files or settings, as in a run.
    """
    cases = checked_cases(experiment)
    model = LanguageModel.outline(
        experiment.model,
        dtype=experiment.dtype,
        device=experiment.device,
        prefix=experiment.prefix,
        progress=progress,
    )
    experiment = as_taken(experiment, model)
    names = editors_named(experiment.editors, model)
    device = _busiest(experiment.device)
    d_out, d_in = model.weight(f"{model.mlp_out_name(0)}.weight").shape
    rate = EFFICIENCY * calibrated_rate(d_out, d_in, model.dtype, device)
    reader = _Reader(model)

    def line(editor: str, n_cases: int, n_edits: int, cost: Cost) -> Line:
        through = cost.block_tokens / model.n_layers
        return Line(editor, n_cases, n_edits, through, cost.flops(model) / rate)

    every = [case for listed in cases.values() for case in listed]
    unedited = sum((reader.cost(steps, steps.unedited) for steps in map(plan, every)), Cost())
    lines = [line("(unedited)", len(every), 0, unedited)]
    for name in names:
        editor = name.editor(model, experiment.settings.get(name.base))
        mine = [
            plan(case, multi_label=name.multi_label)
            for [chunk] in cut(cases, [name], size=experiment.chunk)
            for _, case in chunk.pairs
        ]
        n_edits, cost = _fits(model, editor, mine)
        for steps in mine:
            cost += reader.cost(steps, steps.edited)
        lines.append(line(str(name), len(mine), n_edits, cost))
    return Forecast(
        lines=tuple(lines),
        memory=_memory(model),
        device=experiment.device,
        dtype=experiment.dtype,
        room=memory_of(experiment.device),
    )


def _busiest(device: str) -> torch.device:
    """Where most is computed: `spread` fills accelerators first."""
    if device == SPREAD:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(device)


def _fits(model: LanguageModel, editor: Editor, plans: Iterable[Plan]) -> tuple[int, Cost]:
    """How many edits are made on the way to all states, and what they cost."""
    n_edits, cost = 0, Cost()
    for steps in plans:
        reached = {state[:n] for state in steps.states.values() for n in range(1, 1 + len(state))}
        for state in reached:
            n_edits += len(state[-1])
            cost += editor.cost(model, state[-1])
    return n_edits, cost


class _Reader:
    """Cost of readings."""

    def __init__(self, model: LanguageModel) -> None:
        self._n_layers = model.n_layers
        self._tokens = cache(
            lambda prompt, target: tuple(map(len, tokenize_target(model.tokenizer, prompt, target)))
        )

    def cost(self, steps: Plan, states: Sequence[str]) -> Cost:
        """Every prompt once in each state, and its targets behind it."""
        return sum(
            (self._state(probes) for state, probes in steps.probes.items() if state in states),
            Cost(),
        )

    def _state(self, probes: Iterable[Probe]) -> Cost:
        prompts: dict[str, int] = {}
        targets: dict[tuple[str, str], int] = {}
        for probe in probes:
            for prompt in probe.prompts:
                prompts[prompt], length = self._tokens(prompt, probe.target)
                targets[prompt, probe.target] = length - 1
        tokens = sum(prompts.values()) + sum(targets.values())
        return Cost(tokens * self._n_layers, len(prompts) + sum(targets.values()))


def _memory(model: LanguageModel) -> float:
    """Weights, what one batch leaves for its way backwards, logits, and what FT trains."""
    dtype = model.dtype
    weights: float = sum(p.numel() for p in model.network.parameters()) * dtype.itemsize
    if model.packing:
        matrices = sum(p.numel() for b in model.blocks for p in b.parameters() if p.ndim == 2)
        weights -= matrices * (dtype.itemsize - PACKINGS[model.packing].bits / 8)
    d_out, d_in = model.weight(f"{model.mlp_out_name(0)}.weight").shape
    activations = BATCH * model.n_layers * KEPT * (d_out + d_in / 2) * dtype.itemsize
    logits = 3 * 4 * 512 * model.n_logits
    return LIBRARIES + weights + activations + logits
