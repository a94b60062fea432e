"""Modifiers: suffixes of an editor's name that change its edits or its updates, as `+mle`."""

from dataclasses import dataclass

from pitfalls.editors.modified import ModifiedEditor
from pitfalls.editors.prune import Prune
from pitfalls.editors.rect import Rect


@dataclass(frozen=True, slots=True)
class Modifier:
    """One suffix."""

    multi_label: bool = False
    """Multi-Label Edit (paper §4.4): the way back of a round trip is towards all true objects."""
    wrapper: type[ModifiedEditor] | None = None
    """Step behind every fit, if there is one."""


MODIFIERS: dict[str, Modifier] = {
    "mle": Modifier(multi_label=True),
    "rect": Modifier(wrapper=Rect),
    "prune": Modifier(wrapper=Prune),
}
"""Suffix, behind a `+` → its meaning."""
