"""Gate: a condition on scores, `memit:ir > 0.5`, that makes a check fail when it holds."""

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.metrics.scores import Score
from pitfalls.metrics.table import METRICS

_RELATIONS: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_FORM = re.compile(
    r"\s*(?:(?P<editor>[^:@\s]+)\s*:)?\s*(?P<metric>\w+)\s*(?:@\s*(?P<data>\S+?))?"
    r"\s*(?P<relation>[<>]=?)\s*(?P<bound>[-+]?[\d.]+(?:e[-+]?\d+)?)\s*",
)


@dataclass(frozen=True, slots=True)
class Gate:
    """`[EDITOR:]METRIC[@DATA] RELATION NUMBER`, the number a fraction."""

    text: str
    editor: str | None
    """None: any editor, but no reference row; `undo` must be named."""
    metric: str
    data: str | None
    """None: any data set; else the end of its name, `round/easy`."""
    relation: str
    bound: float

    @classmethod
    def parse(cls, text: str) -> "Gate":
        """The condition that `text` states.

        Raises:
            PitfallsError: not of that form, or no metric of that name.
        """
        found = _FORM.fullmatch(text)
        try:
            bound = float(found["bound"]) if found else None
        except ValueError:
            bound = None
        if found is None or bound is None:
            raise PitfallsError(
                f"{text!r} is no condition: expected [EDITOR:]METRIC[@DATA] > NUMBER, such as "
                "'memit:ir > 0.5' or 'cm@conflict/reverse <= 0.1'"
            )
        if found["metric"] not in METRICS:
            raise UnknownNameError("metric", found["metric"], METRICS)
        return cls(
            text.strip(), found["editor"], found["metric"], found["data"], found["relation"], bound
        )

    def holding(self, scores: Sequence[Score]) -> list[Score]:
        """The scores for which the condition holds.

        Raises:
            PitfallsError: it speaks of none of the scores, or of one without a value: a check that
                cannot be made has not been passed.
        """
        concerned = [one for one in scores if self._concerns(one)]
        if not concerned:
            known = dict.fromkeys(f"{one.editor}:{one.metric}@{one.data}" for one in scores)
            raise PitfallsError(
                f"{self.text!r} concerns none of the scores; known: {', '.join(known)}"
            )
        if lost := next((one for one in concerned if math.isnan(one.value)), None):
            raise PitfallsError(
                f"{self.text!r} cannot be told: {lost.metric} of {lost.editor} on {lost.data} is "
                f"undefined, with {lost.n} cases, {lost.failed} failed and {lost.guarded} guarded"
            )
        holds = _RELATIONS[self.relation]
        return [one for one in concerned if holds(one.value, self.bound)]

    def _concerns(self, one: Score) -> bool:
        return (
            one.metric == self.metric
            and (self.editor == one.editor if self.editor else not one.reference)
            and (self.data is None or one.data == self.data or one.data.endswith(f":{self.data}"))
        )
