"""Effect of an edit, as tables."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pitfalls.cli.verdict import by_harm, shown, verdict

if TYPE_CHECKING:  # it brings torch, which a user who asks for help should not wait for
    from pitfalls.effects.effect import Effect
    from pitfalls.effects.loops import Written
    from pitfalls.effects.outcome import Outcome, Wording
    from pitfalls.effects.shift import Shift
    from pitfalls.effects.untouched import Untouched


FIRST, SAYS = 24, 24
"""Least width of a row's first column and greatest width of a model's words, in characters."""
CHANGED = 8
"""Most rows of a table of changes; JSON has all of them."""


def draw(effect: "Effect", console: Console) -> None:
    """Draw everything that was read, with the verdict as the last line."""
    if len(effect.outcomes) == 1:
        console.print(_wordings(effect.outcomes[0]))
    else:
        console.print(_outcomes("The edits", effect.outcomes))
    if objects := [shift for one in effect.outcomes for shift in one.true_objects]:
        console.print(_shifts("Other objects that are true", objects))
    if effect.earlier:
        console.print(_outcomes("Earlier edits, which should still hold", effect.earlier))
    _beside("Other subjects", [each.neighbours for each in effect.around], effect, console)
    _beside("Other relations", [each.relations for each in effect.around], effect, console)
    if looping := [each for each in effect.texts if _loops(each, effect)]:
        console.print(_texts(looping[:CHANGED]))
    console.print(_shifts("Unrelated facts, which should stay", effect.unrelated))
    console.print(_weights(effect))
    console.print(_checks(effect))
    console.print(verdict(effect), markup=False, soft_wrap=True)


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
        later = one.overwritten_by
        note = "" if later is None else f" (overwritten by → {later.target})"
        table.add_row(escape(str(one.request) + note), of, *_target(first))
    return table


def _target(each: "Wording") -> tuple[str, str, str]:
    old, new = each.said_before, each.said_after
    return _moved(each.shift), f"{old.rank:,} → {new.rank:,}", escape(new.text)


def _beside(
    what: str, sides: "Sequence[Sequence[Untouched]]", effect: "Effect", console: Console
) -> None:
    """Draw the answers that changed and should not have; nothing if all stayed."""
    every = [one for side in sides for one in side]
    changed = by_harm(every, effect.limits.kept)
    if not changed:
        return
    table = _table(f"{what}: {len(changed)} of {len(every)} changed", "prompt", "p")
    table.add_column("of")
    table.add_column("says now", no_wrap=True, max_width=SAYS)
    for one in changed[:CHANGED]:
        answer = one.answer
        moved = ("", "") if answer is None else (_moved(answer), escape(answer.object))
        table.add_row(escape(one.prompt), *moved, escape(one.said_after.text))
    console.print(table)


def _loops(each: "Written", effect: "Effect") -> bool:
    return each.repeated_before <= effect.limits.repeated < each.repeated_after


def _texts(texts: "Sequence[Written]") -> Table:
    table = _table("Texts that repeat themselves now", "prompt", "repeated")
    table.add_column("writes now")
    for each in texts:
        moved = f"{each.repeated_before:.0%} → {each.repeated_after:.0%}"
        table.add_row(escape(each.prompt) + " (chat)" * each.chat, moved, escape(each.after.text))
    return table


def _checks(effect: "Effect") -> Table:
    table = _table("Side effects", "check", "share", "at most", "judged by")
    table.add_column("result")
    for check in effect.checks:
        words = {True: "pass", False: "FAIL", None: "nothing to judge by"}
        share = f"{check.measured:.0%}" if check.read else ""
        row = (share, f"{check.limit:.0%}", str(check.read), words[check.passed])
        table.add_row(check.name, *row)
    return table


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
    return f"{shown(shift.before)} → {shown(shift.after)}"
