"""Laws of updates: applied and taken back, written and read again, read alike by every reader."""

from pitfalls.testing.comparing import unchanged
from pitfalls.testing.examined import Examined, reloaded, require
from pitfalls.testing.interrupting import Interruption

READING = 1e-4
"""How far two readings of a log-probability may differ, relatively and absolutely."""


def applied_is_taken_back(it: Examined) -> None:
    """`applied` changes the weights that an update names, and gives all of them back."""
    update = it.updates[0]
    others = {name: weight for name, weight in it.before.items() if name not in update.changes}
    with update.applied(it.model):
        require(unchanged(it.model, others), "an update changes the weights it names and no others")
    require(unchanged(it.model, it.before), "leaving `applied` restores the model, bit for bit")
    try:
        with update.applied(it.model):
            raise Interruption
    except Interruption:
        pass
    law = "leaving `applied` by an exception restores the model, bit for bit"
    require(unchanged(it.model, it.before), law)


def saved_is_read_again(it: Examined) -> None:
    """A saved and reloaded update is equal in every bit."""
    for update in it.updates:
        require(reloaded(update) == update, "a saved and reloaded update is equal")


def readers_agree(it: Examined) -> None:
    """The engine's reader, with edits row by row, reads what the edited model says."""
    for job, update in zip(it.jobs, it.updates, strict=True):
        for edit in job.edits:
            whole = job.base + update
            ours, plain = it.likelihood(edit, whole), it.plain_likelihood(edit, whole)
            near = abs(ours - plain) <= READING * max(1.0, abs(plain))
            law = f"the engine reads {ours:.5f} for {edit}, the edited model says {plain:.5f}"
            require(near, f"every reader sees the same edited model: {law}")
