"""Effect of an edit, as JSON values."""

import math
from typing import TYPE_CHECKING, Any

from pitfalls.cli.verdict import verdict

if TYPE_CHECKING:  # it brings torch, which a user who asks for help should not wait for
    from pitfalls.effects.effect import Effect
    from pitfalls.effects.loops import Written
    from pitfalls.effects.outcome import Outcome, Wording
    from pitfalls.effects.shift import Shift
    from pitfalls.effects.untouched import Untouched


def effect_json(effect: "Effect") -> dict[str, Any]:
    """Everything that was read, after the edit and before it."""
    return {
        "verdict": verdict(effect),
        "edited": not effect.failed,
        "passed": not (effect.failed or effect.harmed),
        "checks": [
            {
                "name": check.name,
                "passed": check.passed,
                "measured": check.measured,
                "limit": check.limit,
                "read": check.read,
            }
            for check in effect.checks
        ],
        "edits": [_outcome(one) for one in effect.outcomes],
        "earlier": [_outcome(one) for one in effect.earlier],
        "neighbours": [_beside(one, effect) for each in effect.around for one in each.neighbours],
        "relations": [_beside(one, effect) for each in effect.around for one in each.relations],
        "texts": [_text(each) for each in effect.texts],
        "unrelated": [_shift(shift) for shift in effect.unrelated],
        "perplexity": {
            "before": _number(effect.perplexity_before),
            "after": _number(effect.perplexity_after),
        },
        "weights": [
            {"name": each.name, "norm": each.norm, "relative": _number(each.relative)}
            for each in effect.weights
        ],
    }


def _outcome(one: "Outcome") -> dict[str, Any]:
    later = one.overwritten_by
    return {
        "edit": str(one.request),
        "taken": one.taken,
        "overwritten_by": None if later is None else str(later),
        "likelier": one.likelier,
        "wordings": [_wording(each) for each in one.wordings],
        "true_objects": [_shift(shift) for shift in one.true_objects],
    }


def _wording(each: "Wording") -> dict[str, Any]:
    before, after = each.said_before, each.said_after
    return _shift(each.shift) | {
        "rank_before": before.rank,
        "rank_after": after.rank,
        "says_before": before.text,
        "says_after": after.text,
        "taken": after.says_target,
    }


def _beside(one: "Untouched", effect: "Effect") -> dict[str, Any]:
    return {
        "prompt": one.prompt,
        "target": one.target,
        "changed": one.changed(effect.limits.kept),
        "taken_over": one.taken_over,
        "says_before": one.said_before.text,
        "says_after": one.said_after.text,
        "answer": None if one.answer is None else _shift(one.answer),
    }


def _text(each: "Written") -> dict[str, Any]:
    return {
        "prompt": each.prompt,
        "chat": each.chat,
        "before": each.before.text,
        "after": each.after.text,
        "repeated_before": each.repeated_before,
        "repeated_after": each.repeated_after,
    }


def _shift(shift: "Shift") -> dict[str, Any]:
    return {
        "prompt": shift.prompt,
        "object": shift.object,
        "before": _number(shift.before),
        "after": _number(shift.after),
    }


def _number(value: float) -> float | None:
    """The number, or null for an infinity, which JSON lacks."""
    return value if math.isfinite(value) else None
