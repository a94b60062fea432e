"""From planned states to updates: every edit that does not wait for another shares a batch."""

from collections.abc import Sequence

from pitfalls.cases.steps import Plan, State
from pitfalls.editors.editor import Editor, Job
from pitfalls.models.language_model import LanguageModel
from pitfalls.progress import Progress
from pitfalls.updates.update import Update

UNEDITED: State = ()


def reach_states(
    editor: Editor, model: LanguageModel, plans: Sequence[Plan], *, progress: Progress
) -> list[dict[State, Update]]:
    """For each plan: state → the update that leads from the unedited model to it.

    First steps of all plans are fitted together, then second steps on top of them, and so on. A
    state whose last step failed is kept, with the reason in `Update.failure`; nothing is built on
    top of it.
    """
    reached: list[dict[State, Update]] = [{UNEDITED: Update()} for _ in plans]
    for depth in range(1, 1 + max(len(s) for p in plans for s in p.states.values())):
        wanted = [
            (i, state)
            for i, plan in enumerate(plans)
            for state in dict.fromkeys(s[:depth] for s in plan.states.values() if len(s) >= depth)
            if not reached[i][state[:-1]].failure
        ]
        jobs = [Job(state[-1], base=reached[i][state[:-1]]) for i, state in wanted]
        for (i, state), job, update in zip(
            wanted, jobs, editor.fit(model, jobs, progress=progress), strict=True
        ):
            reached[i][state] = job.base + update
    return reached
