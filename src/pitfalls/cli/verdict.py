"""Verdict on edits in one line, and warnings about failures."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it brings torch, which a user who asks for help should not wait for
    from pitfalls.effects.checks import Check
    from pitfalls.effects.effect import Effect
    from pitfalls.effects.outcome import Outcome
    from pitfalls.effects.untouched import Untouched


def verdict(effect: "Effect") -> str:
    """Verdict on an effect, in one line."""
    parts = [_taken(effect)]
    parts += [f"FAILED: {told_check(check)}" for check in effect.harmed]
    if lost := effect.lost:
        parts.append(f"{len(lost)} of {len(effect.earlier)} earlier edits no longer hold")
    if overwritten := len(effect.overwritten):
        parts.append(f"{overwritten} {'edit is' if overwritten == 1 else 'edits are'} overwritten")
    if worst := effect.worst:
        parts.append(
            f"the unrelated fact that lost most went from {shown(worst.before)} to "
            f"{shown(worst.after)}"
        )
    before, after = effect.perplexity_before, effect.perplexity_after
    parts.append(f"perplexity from {before:.2f} to {after:.2f} ({after / before - 1:+.2%})")
    return "; ".join(parts) + "."


def told(effect: "Effect") -> Iterator[str]:
    """A line for edits that did not take, and one for checks that failed."""
    if effect.failed:
        first, *others = effect.failed
        shift, said = first.wordings[0].shift, first.wordings[0].said_after
        more = f" (and {len(others)} more)" if others else ""
        yield (
            f"THE EDIT DID NOT TAKE: after {shift.prompt!r} the model says {said.text!r}, not "
            f"{shift.object!r}, which went from p = {shown(shift.before)} to "
            f"{shown(shift.after)}{more}"
        )
    if effect.harmed:
        failed = ", ".join(map(told_check, effect.harmed))
        yield f"THE EDIT HAS SIDE EFFECTS: {failed}{_example(effect)}"


def told_check(check: "Check") -> str:
    """A check with its number and limit."""
    return f"{check.name} {check.measured:.0%} (at most {check.limit:.0%})"


def shown(probability: float) -> str:
    """A probability in few characters."""
    return f"{probability:.4f}" if probability >= 0.001 else f"{probability:.1e}"


def by_harm(some: "list[Untouched]", kept: float) -> "list[Untouched]":
    """Answers that changed: first those that became the target, then those that lost most."""
    changed = [one for one in some if one.changed(kept)]
    return sorted(
        changed, key=lambda one: (not one.taken_over, one.answer.log_ratio if one.answer else 0)
    )


def _example(effect: "Effect") -> str:
    kept = effect.limits.kept
    near = [one for around in effect.around for one in around.neighbours]
    same = [one for around in effect.around for one in around.relations]
    for one in by_harm([*near, *same], kept)[:1]:
        return f"; after {one.prompt!r} it now says {one.said_after.text!r}"
    return ""


def _taken(effect: "Effect") -> str:
    if len(effect.outcomes) != 1:
        n = len(effect.outcomes)
        taken = sum(one.taken for one in effect.outcomes)
        return f"{taken} of {n} edits took"
    (one,) = effect.outcomes
    first, *others = one.wordings
    text = f"{_how(one, effect)}: {first.shift.object!r} went from p = {shown(first.shift.before)}"
    text += f" to {shown(first.shift.after)}"
    return text + (f", {one.paraphrases_taken} of {len(others)} paraphrases" if others else "")


def _how(one: "Outcome", effect: "Effect") -> str:
    if one.taken:
        return "Edited, with side effects" if effect.harmed else "Edited"
    return "Likelier, not likeliest" if one.likelier else "NOT EDITED"
