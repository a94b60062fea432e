"""Reading probes in states: one set of forward passes for many cases and many edited models."""

from collections.abc import Sequence

from pitfalls.bench.readers import READERS, Asked
from pitfalls.cases.steps import Plan, State
from pitfalls.models.language_model import LanguageModel
from pitfalls.records.record import Reading
from pitfalls.updates.update import Update
from pitfalls.vocabulary import StateName


def observe(
    model: LanguageModel,
    plans: Sequence[Plan],
    reached: Sequence[dict[State, Update]],
    names: Sequence[Sequence[StateName]],
) -> list[dict[StateName, tuple[Reading, ...]]]:
    """For each plan: state → the readings of its probes, in the plan's order.

    Args:
        model: the unedited model.
        plans: one a case.
        reached: for each plan, state → the update that leads to it. States that were not reached,
            because a fit failed, are left out.
        names: for each plan, the states to read.
    """
    wanted = [
        (i, Asked(name, probe, reached[i][plan.states[name]]))
        for i, plan in enumerate(plans)
        for name in names[i]
        if _usable(reached[i], plan.states[name])
        for probe in plan.probes.get(name, ())
    ]
    taken = _taken(model, [asked for _, asked in wanted])
    read: list[dict[StateName, tuple[Reading, ...]]] = [{} for _ in plans]
    for (i, asked), reading in zip(wanted, taken, strict=True):
        read[i][asked.state] = (*read[i].get(asked.state, ()), reading)
    return read


def _taken(model: LanguageModel, wanted: Sequence[Asked]) -> list[Reading]:
    """The readings in the order asked for; those of one kind are taken together."""
    found: dict[int, Reading] = {}
    for kind in dict.fromkeys(asked.probe.reads for asked in wanted):
        places = [n for n, asked in enumerate(wanted) if asked.probe.reads == kind]
        readings = READERS[kind](model, [wanted[n] for n in places])
        found.update(zip(places, readings, strict=True))
    return [found[n] for n in range(len(wanted))]


def _usable(reached: dict[State, Update], state: State) -> bool:
    return state in reached and not reached[state].failure
