"""Reading probes in states: one set of forward passes for many cases and many edited models."""

from collections.abc import Sequence

from pitfalls.cases.plan import Plan, State
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.readout import target_logprobs
from pitfalls.records.record import Reading
from pitfalls.updates.update import Update
from pitfalls.vocabulary import StateName


def observe(
    model: LanguageModel,
    plans: Sequence[Plan],
    reached: Sequence[dict[State, Update]],
    names: Sequence[StateName],
) -> list[dict[StateName, tuple[Reading, ...]]]:
    """For each plan: what its probes read in those of its states that are in `names`.

    States that were not reached, because a fit failed, are left out.
    """
    wanted = [
        (i, name, probe)
        for i, plan in enumerate(plans)
        for name in names
        if name in plan.states and _usable(reached[i], plan.states[name])
        for probe in plan.probes[name]
    ]
    questions = [
        reached[i][plans[i].states[name]].question(prompt, probe.target)
        for i, name, probe in wanted
        for prompt in probe.prompts
    ]
    answers = iter(target_logprobs(model, questions))
    read: list[dict[StateName, tuple[Reading, ...]]] = [{} for _ in plans]
    for i, name, probe in wanted:
        logprobs = tuple(tuple(next(answers).tolist()) for _ in probe.prompts)
        reading = Reading(name, probe.name, probe.target, logprobs)
        read[i][name] = (*read[i].get(name, ()), reading)
    return read


def _usable(reached: dict[State, Update], state: State) -> bool:
    return state in reached and not reached[state].failure
