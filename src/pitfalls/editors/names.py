"""Names of editors on the command line: `rome`, `rome+mle`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pitfalls.editors.editor import Editor
from pitfalls.editors.modifiers import MODIFIERS
from pitfalls.editors.table import DEFAULT_EDITORS, EDITORS, editor_for
from pitfalls.errors import UnknownNameError
from pitfalls.models.language_model import LanguageModel

ALL = "all"
"""Word for every editor of the table."""
SIGN = "+"
"""Between an editor's name and its modifiers."""


@dataclass(frozen=True, slots=True)
class EditorName:
    """An editor as named on the command line, `rome` or `rome+mle`."""

    base: str
    """A key of `EDITORS`."""
    modifiers: tuple[str, ...] = ()
    """Keys of `MODIFIERS`, in the order in which they are applied."""

    @classmethod
    def parse(cls, name: str) -> "EditorName":
        """Take the name apart.

        Raises:
            UnknownNameError: no such editor or modifier, or a modifier twice.
        """
        base, *modifiers = name.split(SIGN)
        known = base in EDITORS and set(modifiers) <= MODIFIERS.keys()
        if not known or len(set(modifiers)) < len(modifiers):
            one_each = [f"{editor}{SIGN}{each}" for editor in EDITORS for each in MODIFIERS]
            raise UnknownNameError("editor", name, [*EDITORS, *one_each, ALL])
        return cls(base, tuple(modifiers))

    @property
    def multi_label(self) -> bool:
        """Whether the way back of a round trip edits towards all true objects (paper §4.4)."""
        return any(MODIFIERS[each].multi_label for each in self.modifiers)

    def editor(
        self, model: LanguageModel, overrides: Mapping[str, Any] | None = None, *, seed: int = 0
    ) -> Editor:
        """The editor with its settings for `model`, inside of its modifiers' steps.

        Arguments and errors are those of `editor_for`.
        """
        made = editor_for(self.base, model, overrides, seed=seed)
        for each in self.modifiers:
            if wrapper := MODIFIERS[each].wrapper:
                made = wrapper(inner=made)
        return made

    def __str__(self) -> str:
        return SIGN.join((self.base, *self.modifiers))


def editors_named(names: Sequence[str] | None, model: LanguageModel) -> list[EditorName]:
    """The editors of a run on `model`, each once.

    Args:
        names: `all` stands for the whole table, None for `DEFAULT_EDITORS`; of both, those are left
            out that need what does not come along for the model.
        model: may be an outline.

    Raises:
        UnknownNameError: no such editor.
    """
    ready = [name for name, method in EDITORS.items() if method.is_ready_for(model)]
    if names is None:
        every = map(EditorName.parse, DEFAULT_EDITORS)
        return [name for name in every if name.base in ready]
    return parsed_names(names, every=ready)


def parsed_names(names: Iterable[str], *, every: Iterable[str] = EDITORS) -> list[EditorName]:
    """The editors of some words, each once; `all` stands for `every`.

    Raises:
        UnknownNameError: no such editor.
    """
    words = (word for name in names for word in (every if name == ALL else [name]))
    return list(dict.fromkeys(map(EditorName.parse, words)))
