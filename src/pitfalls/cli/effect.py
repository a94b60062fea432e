"""What an edit changed, as tables, as one line, and as JSON."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:  # it brings torch, which a user who asks for help should not wait for
    from pitfalls.bench.effect import Effect, Outcome, Shift, Wording


FIRST, SAYS = 24, 24
"""Characters at least for what a row is about, and at most for what a model says."""


def draw(effect: "Effect", console: Console) -> None:
    """Everything that was read, and the verdict as the last line."""
    if len(effect.outcomes) == 1:
        console.print(_wordings(effect.outcomes[0]))
    else:
        console.print(_outcomes("The edits", effect.outcomes))
    if objects := [shift for one in effect.outcomes for shift in one.true_objects]:
        console.print(_shifts("Other objects that are true", objects))
    if effect.earlier:
        console.print(_outcomes("Earlier edits, which should still hold", effect.earlier))
    console.print(_shifts("Unrelated facts, which should stay", effect.unrelated))
    console.print(_weights(effect))
    console.print(verdict(effect), markup=False, soft_wrap=True)


def verdict(effect: "Effect") -> str:
    """What became of it, in one line."""
    parts = [_taken(effect)]
    if lost := effect.lost:
        parts.append(f"{len(lost)} of {len(effect.earlier)} earlier edits no longer hold")
    if worst := effect.worst:
        parts.append(
            f"the unrelated fact that lost most went from {_p(worst.before)} to {_p(worst.after)}"
        )
    before, after = effect.perplexity_before, effect.perplexity_after
    parts.append(f"perplexity from {before:.2f} to {after:.2f} ({after / before - 1:+.2%})")
    return "; ".join(parts) + "."


def _taken(effect: "Effect") -> str:
    if len(effect.outcomes) > 1:
        n = len(effect.outcomes)
        return f"{n - len(effect.failed)} of {n} edits took"
    (one,) = effect.outcomes
    first, *others = one.wordings
    how = "Edited" if one.taken else "Likelier, not likeliest" if one.likelier else "NOT EDITED"
    text = f"{how}: {first.shift.object!r} went from p = {_p(first.shift.before)}"
    text += f" to {_p(first.shift.after)}"
    return text + (f", {one.paraphrases_taken} of {len(others)} paraphrases" if others else "")


def complaint(effect: "Effect") -> str:
    """What to say loudly where edits did not take."""
    first, *others = effect.failed
    shift, said = first.wordings[0].shift, first.wordings[0].said_after
    more = f" (and {len(others)} more)" if others else ""
    return (
        f"THE EDIT DID NOT TAKE: after {shift.prompt!r} the model says {said.text!r}, not "
        f"{shift.object!r}, which went from p = {_p(shift.before)} to {_p(shift.after)}{more}"
    )


def as_json(effect: "Effect") -> dict[str, Any]:
    """The same as JSON values."""
    return {
        "verdict": verdict(effect),
        "edited": not effect.failed,
        "edits": [_outcome_json(one) for one in effect.outcomes],
        "earlier": [_outcome_json(one) for one in effect.earlier],
        "unrelated": [_shift_json(shift) for shift in effect.unrelated],
        "perplexity": {
            "before": _number(effect.perplexity_before),
            "after": _number(effect.perplexity_after),
        },
        "weights": [
            {"name": each.name, "norm": each.norm, "relative": _number(each.relative)}
            for each in effect.weights
        ],
    }


def _outcome_json(one: "Outcome") -> dict[str, Any]:
    return {
        "edit": str(one.request),
        "taken": one.taken,
        "likelier": one.likelier,
        "wordings": [_wording_json(each) for each in one.wordings],
        "true_objects": [_shift_json(shift) for shift in one.true_objects],
    }


def _wording_json(each: "Wording") -> dict[str, Any]:
    before, after = each.said_before, each.said_after
    return _shift_json(each.shift) | {
        "rank_before": before.rank,
        "rank_after": after.rank,
        "says_before": before.text,
        "says_after": after.text,
        "taken": after.says_target,
    }


def _shift_json(shift: "Shift") -> dict[str, Any]:
    return {
        "prompt": shift.prompt,
        "object": shift.object,
        "before": _number(shift.before),
        "after": _number(shift.after),
    }


def _number(value: float) -> float | None:
    """JSON knows no infinities."""
    return value if math.isfinite(value) else None


def _wordings(one: "Outcome") -> Table:
    table = _table(f"The target {one.request.target!r}", "prompt", "p", "rank")
    table.add_column("says now", no_wrap=True, max_width=SAYS)
    for each in one.wordings:
        table.add_row(escape(each.shift.prompt), *_target(each))
    return table


def _outcomes(title: str, outcomes: "Sequence[Outcome]") -> Table:
    table = _table(title, "edit", "paraphrases", "p", "rank")
    table.add_column("says now", no_wrap=True, max_width=SAYS)
    for one in outcomes:
        first, *others = one.wordings
        of = f"{one.paraphrases_taken} of {len(others)}" if others else ""
        table.add_row(escape(str(one.request)), of, *_target(first))
    return table


def _target(each: "Wording") -> tuple[str, str, str]:
    old, new = each.said_before, each.said_after
    return _moved(each.shift), f"{old.rank:,} → {new.rank:,}", escape(new.text)


def _shifts(title: str, shifts: "Sequence[Shift]") -> Table:
    table = _table(title, "prompt", "p")
    table.add_column("of")
    for shift in shifts:
        table.add_row(escape(shift.prompt), _moved(shift), escape(shift.object))
    return table


def _weights(effect: "Effect") -> Table:
    table = _table("The change", "weight", "norm", "of the weight's")
    for each in effect.weights:
        table.add_row(each.name, f"{each.norm:.4g}", f"{100 * each.relative:.2g} %")
    return table


def _table(title: str, first: str, *numbers: str) -> Table:
    box = SIMPLE_HEAD
    table = Table(title=escape(title), title_justify="left", box=box, show_edge=False)
    table.add_column(first, min_width=FIRST)
    for head in numbers:
        table.add_column(head, justify="right", no_wrap=True)
    return table


def _moved(shift: "Shift") -> str:
    return f"{_p(shift.before)} → {_p(shift.after)}"


def _p(probability: float) -> str:
    return f"{probability:.4f}" if probability >= 0.001 else f"{probability:.1e}"
