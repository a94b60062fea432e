"""One chunk of cases under one editor: fit, apply, observe, write down."""

import math
from collections.abc import Mapping, Sequence

from pitfalls.bench.chunks import Chunk
from pitfalls.bench.observe import observe
from pitfalls.bench.states import UNEDITED, reach_states
from pitfalls.cases.plan import Plan, State, plan
from pitfalls.cases.rows import case_to_dict
from pitfalls.editors.editor import Editor
from pitfalls.editors.table import EditorName
from pitfalls.editors.update import Update
from pitfalls.models.language_model import LanguageModel
from pitfalls.progress import SILENT, Progress
from pitfalls.records.record import Fit, Reading, Record
from pitfalls.vocabulary import STATES, StateName


def read_unedited(model: LanguageModel, chunk: Chunk) -> list[dict[StateName, tuple[Reading, ...]]]:
    """What the unedited model says of every case; the same for all editors, so read once."""
    plans = [plan(case) for case in chunk.cases]
    return observe(model, plans, [{UNEDITED: Update()} for _ in plans], ["theta0"])


def carry_out(
    model: LanguageModel,
    editor: Editor,
    name: EditorName,
    chunk: Chunk,
    unedited: Sequence[Mapping[StateName, tuple[Reading, ...]]],
    *,
    progress: Progress = SILENT,
) -> list[Record]:
    """A record per case of `chunk`, in order.

    A case whose fit diverges, or whose probabilities are not finite, keeps what was read and says
    why in `Record.failure`; the others are not touched by it.
    """
    plans = [plan(case, multi_label=name.multi_label) for case in chunk.cases]
    reached = reach_states(editor, model, plans, progress=progress)
    edited = observe(model, plans, reached, [state for state in STATES if state != "theta0"])
    records = []
    for i, case in enumerate(chunk.cases):
        read = {**unedited[i], **edited[i]}
        readings = tuple(reading for state in STATES for reading in read.get(state, ()))
        records.append(
            Record(
                case_id=case.id,
                editor=str(name),
                data=chunk.data,
                kind=case.kind,
                case=case_to_dict(case),
                readings=readings,
                fits=_fits(plans[i], reached[i]),
                failure=_failure(plans[i], reached[i]) or _not_finite(readings),
            )
        )
    return records


def _fits(steps: Plan, reached: Mapping[State, Update]) -> tuple[Fit, ...]:
    """How the last step of every edited state was fitted."""
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
