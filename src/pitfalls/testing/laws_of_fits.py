"""Laws of fits: nothing is left behind, jobs do not touch each other, bases are seen."""

from copy import deepcopy
from dataclasses import replace

import torch

from pitfalls.editors.editor import Job
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.weights.changes import Dense
from pitfalls.testing.comparing import distance, unchanged
from pitfalls.testing.examined import Examined, reloaded, require
from pitfalls.testing.interrupting import Interruption, counted
from pitfalls.updates.update import Update


def one_update_per_job(it: Examined) -> None:
    """`fit` returns an update per job, and each edit changes something."""
    require(len(it.updates) == len(it.jobs), "fit returns one update per job")
    for job, update in zip(it.jobs, it.updates, strict=True):
        require(update.failure is None, f"the fit of {job} failed: {update.failure}")
        changes = bool(update.changes) or update.context is not None
        require(changes == bool(job.edits), f"{job} changes something if it has edits")


def model_is_left_alone(it: Examined) -> None:
    """Weights, hooks and gradients are as they were, bit for bit."""
    _ = it.updates
    require(unchanged(it.model, it.before), "fit leaves the model as it was, bit for bit")
    for module in it.model.network.modules():
        hooks = bool(module._forward_hooks or module._forward_pre_hooks)
        require(not hooks, "fit leaves no hook in the model")
    for parameter in it.model.network.parameters():
        clean = parameter.grad is None and not parameter.requires_grad
        require(clean, "fit leaves no gradient in the model")


def model_is_left_alone_when_it_raises(it: Examined) -> None:
    """Forward passes break off at the beginning, in the middle and at the end of a fit."""
    jobs, _ = it.jobs[:3], it.before
    with counted(it.model) as calls:
        it.editor.fit(it.model, jobs)
    for last in sorted({1, (len(calls) + 1) // 2, len(calls)} - {0}):
        try:
            with counted(it.model, last=last):
                it.editor.fit(it.model, jobs)
        except Interruption:
            pass
        law = f"fit leaves the model as it was, bit for bit, when it raises (at call {last})"
        require(unchanged(it.model, it.before), law)


def nothing_comes_of_nothing(it: Examined) -> None:
    """No jobs give no updates; a job without edits gets an empty one."""
    require(it.editor.fit(it.model, []) == [], "no jobs give no updates")
    (update,) = it.editor.fit(it.model, [Job(())])
    require(update == Update(), "a job without edits gives an empty update")


def edits_become_more_likely(it: Examined) -> None:
    """Each edit of a job, one or several; on a base, one that the base does not make already.

    An edit by text alone only has to move it: a random network learns nothing from being told.
    """
    on_base = Job((it.again,), it.base)
    (on_top,) = it.editor.fit(it.model, [on_base])
    alone = [
        (job, update)
        for job, update in zip(it.jobs, it.updates, strict=True)
        if job.base == Update()
    ]
    for job, update in (*alone, (on_base, on_top)):
        for edit in job.edits:
            before = it.likelihood(edit, job.base)
            after = it.likelihood(edit, job.base + update)
            moved = after > before if update.changes else after != before
            require(moved, f"{edit} becomes more likely ({job})")


def jobs_do_not_touch_each_other(it: Examined) -> None:
    """A job gets alone, or in a batch of another order, what it gets in this one."""
    backwards = it.editor.fit(it.model, it.jobs[::-1])[::-1]
    for job, update, other in zip(it.jobs, it.updates, backwards, strict=True):
        (alone,) = it.editor.fit(it.model, [job])
        gap = distance(alone, update)
        law = f"a job gets alone what it gets in a batch (relative distance {gap:.1e})"
        require(gap <= it.tolerance, law)
        require(it.close(update, other), "a job gets the same in a batch of another order")
        same = [part.edits for part in update.history] == [part.edits for part in alone.history]
        require(same, "an update's history names its job's edits")


def bases_are_seen(it: Examined) -> None:
    """On top of an update, a fit is what it is on the model that the update gives."""
    fixed = [base for base in (it.base, *it.bases) if _is_fixed(base)]
    without, *on_tops = it.editor.fit(it.model, [Job((it.again,), b) for b in (Update(), *fixed)])
    for base, on_top in zip(fixed, on_tops, strict=True):
        (plain,) = it.editor.fit(_committed(it.model, base), [Job((it.again,))])
        require(on_top.failure is None, f"a fit on a base failed: {on_top.failure}")
        require(it.close(on_top, plain), "on a base, a fit is what it is on a committed model")
        apart = not it.close(on_top, without) or not on_top.changes
        require(apart, "a base has a part in what is fitted on top of it")


def chains_repeat(it: Examined) -> None:
    """The same chain of jobs gives the same update, also through files and other fits between."""
    (first,) = it.editor.fit(it.model, [Job((it.again,), it.base)])
    it.editor.fit(it.model, [Job((it.edits[1],))])
    (second,) = it.editor.fit(it.model, [Job((it.again,), reloaded(it.base))])
    require(it.close(first, second), "the same chain of jobs gives the same update")


def a_broken_base_fails_alone(it: Examined) -> None:
    """A job on a base that is not finite changes no weight, and none of the other jobs."""
    weight = f"{it.model.mlp_out_name(0)}.weight"
    shape = tuple(it.model.weight(weight).shape)
    broken = Update({weight: Dense(torch.full(shape, torch.nan))})
    jobs = [it.jobs[0], Job((it.edits[1],), broken), Job((it.edits[0], it.edits[-1]), broken)]
    sound, *failed = it.editor.fit(it.model, jobs)
    require(it.close(sound, it.updates[0]), "a job that fails does not touch the others")
    for update in failed:
        told = update.failure is not None or update.context is not None
        require(told and not update.changes, "a fit on a base that is not finite changes no weight")


def _is_fixed(base: Update) -> bool:
    """Whether a model can carry all of it, so that a fit needs nothing else."""
    gated = any(change.matrix is None for change in base.changes.values())
    return not gated and not base.carried and base.context is None


def _committed(model: LanguageModel, update: Update) -> LanguageModel:
    """A model that carries `update` for good and remembers what the unedited one does: C."""
    edited = replace(model, network=deepcopy(model.network))
    update.commit(edited)
    return edited
