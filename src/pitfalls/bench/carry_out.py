"""One chunk of cases under one editor: fit, apply, observe, write down."""

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TypeAlias

from pitfalls.bench.chunks import Chunk
from pitfalls.bench.observe import observe
from pitfalls.bench.states import UNEDITED, reach_states
from pitfalls.cases.case import Case
from pitfalls.cases.json_form import case_to_dict
from pitfalls.cases.plan import plan
from pitfalls.cases.steps import Plan, State
from pitfalls.editors.editor import Editor
from pitfalls.models.language_model import LanguageModel
from pitfalls.progress import SILENT, Progress
from pitfalls.records.record import Fit, Reading, Record
from pitfalls.updates.update import Update
from pitfalls.vocabulary import StateName

Readings: TypeAlias = Mapping[StateName, tuple[Reading, ...]]
"""State → its readings."""


class Unedited:
    """Readings of the unedited model; the same for all editors, so taken only once.

    It is read for all of them together, whichever are asked for: a resumed run that needs a few
    must not read them in another batch than the run that needed all, or bits would differ.
    """

    def __init__(self, model: LanguageModel, chunks: Sequence[Chunk]) -> None:
        """Nothing is read before it is asked for.

        Args:
            model: the unedited model.
            chunks: the same slice of the data sets under different editors.
        """
        self.model = model
        self._cases = dict.fromkeys(pair for chunk in chunks for pair in chunk.pairs)

    @cached_property
    def _read(self) -> dict[tuple[str, Case], Readings]:
        plans = [plan(case) for _, case in self._cases]
        reached = [{UNEDITED: Update()} for _ in plans]
        read = observe(self.model, plans, reached, [steps.unedited for steps in plans])
        return dict(zip(self._cases, read, strict=True))

    def of(self, data: str, case: Case) -> Readings:
        """The readings in the states that no edit leads to."""
        return self._read[data, case]


def carry_out(
    model: LanguageModel,
    editor: Editor,
    chunk: Chunk,
    unedited: Unedited,
    *,
    progress: Progress = SILENT,
) -> dict[str, list[Record]]:
    """Data set → a record per case of `chunk`, in order.

    A case whose fit diverges, or whose probabilities are not finite, keeps what was read and says
    why in `Record.failure`; the others are not touched by it.
    """
    plans = [plan(case, multi_label=chunk.editor.multi_label) for _, case in chunk.pairs]
    reached = reach_states(editor, model, plans, progress=progress)
    after = observe(model, plans, reached, [steps.edited for steps in plans])
    records: dict[str, list[Record]] = {data: [] for data in chunk.cases}
    for i, (data, case) in enumerate(chunk.pairs):
        read = {**unedited.of(data, case), **after[i]}
        readings = tuple(reading for state in plans[i].states for reading in read.get(state, ()))
        records[data].append(
            Record(
                case_id=case.id,
                editor=str(chunk.editor),
                data=data,
                kind=case.kind,
                case=case_to_dict(case),
                readings=readings,
                fits=_fits(plans[i], reached[i]),
                failure=_failure(plans[i], reached[i]) or _not_finite(readings),
            )
        )
    return records


def _fits(steps: Plan, reached: Mapping[State, Update]) -> tuple[Fit, ...]:
    """How the last step of every edited state was fitted; its norms are those of all steps."""
    fits = []
    for name, state in steps.states.items():
        if state and state in reached:
            before = len(reached[state[:-1]].history)
            parts = reached[state].history[before:]
            losses = tuple(loss for part in parts for loss in part.losses)
            seconds = sum(part.seconds for part in parts)
            fits.append(Fit(name, losses, reached[state].norms, seconds))
    return tuple(fits)


def _failure(steps: Plan, reached: Mapping[State, Update]) -> str | None:
    for name, state in steps.states.items():
        if state in reached and (why := reached[state].failure):
            return f"{name}: {why}"
    return None


def _not_finite(readings: Sequence[Reading]) -> str | None:
    for reading in readings:
        if not all(math.isfinite(value) for prompt in reading.logprobs for value in prompt):
            return f"{reading.state}: the probability of probe {reading.probe} is not finite"
    return None
