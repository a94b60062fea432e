"""Readers: each takes one kind of reading. A new kind of reading is one function and one row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pitfalls.cases.steps import Plan, Probe
from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.readout import target_logprobs
from pitfalls.records.record import Reading
from pitfalls.updates.update import Update
from pitfalls.vocabulary import ReadingKind, StateName


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One probe to read in one state of one case."""

    state: StateName
    probe: Probe
    update: Update
    """The update that leads to the state. Probes of one edited model share one object here."""


Reader: TypeAlias = Callable[[LanguageModel, Sequence[Asked]], list[Reading]]
"""Reads many probes at once; the readings come in the order of the probes."""


def read_logprobs(model: LanguageModel, asked: Sequence[Asked]) -> list[Reading]:
    """Log-probabilities of each probe's target after each of its prompts."""
    questions = [
        one.update.question(prompt, one.probe.target)
        for one in asked
        for prompt in one.probe.prompts
    ]
    answers = iter(target_logprobs(model, questions))
    return [
        Reading(
            one.state,
            one.probe.name,
            one.probe.target,
            tuple(tuple(next(answers).tolist()) for _ in one.probe.prompts),
        )
        for one in asked
    ]


READERS: dict[ReadingKind, Reader] = {"logprobs": read_logprobs}
"""Kind of reading → the function that takes it."""


def check_readable(steps: Plan, *, where: str) -> None:
    """Refuse a plan that asks for a reading which nothing can take.

    Raises:
        PitfallsError: the line starts with `where` and names the probe.
    """
    for probe in steps.every_probe.values():
        if probe.reads not in READERS:
            raise PitfallsError(
                f"{where}: the probe {probe.name} asks for a {probe.reads} reading, expected one "
                f"of {', '.join(READERS)}; leave these cases out"
            )
