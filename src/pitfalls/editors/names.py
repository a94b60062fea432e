"""Names of editors on the command line: `rome`, `rome+mle`."""

from collections.abc import Sequence
from dataclasses import dataclass

from pitfalls.editors.table import DEFAULT_EDITORS, EDITORS
from pitfalls.errors import UnknownNameError
from pitfalls.models.language_model import LanguageModel

MULTI_LABEL = "+mle"
"""Behind an editor's name: the way back of a round trip edits towards every true object."""


@dataclass(frozen=True, slots=True)
class EditorName:
    """An editor as named on the command line, `rome` or `rome+mle`."""

    base: str
    multi_label: bool

    @classmethod
    def parse(cls, name: str) -> "EditorName":
        """Take the name apart.

        Raises:
            UnknownNameError: no such editor.
        """
        base = name.removesuffix(MULTI_LABEL)
        if base not in EDITORS:
            raise UnknownNameError("editor", name, [*EDITORS, *(n + MULTI_LABEL for n in EDITORS)])
        return cls(base, multi_label=name.endswith(MULTI_LABEL))

    def __str__(self) -> str:
        return self.base + MULTI_LABEL * self.multi_label


def editors_named(names: Sequence[str] | None, model: LanguageModel) -> list[EditorName]:
    """The editors of a run on `model`, each once; those that need nothing further if none is named.

    Raises:
        UnknownNameError: no such editor.
    """
    if names is not None:
        return [EditorName.parse(name) for name in dict.fromkeys(names)]
    every = map(EditorName.parse, DEFAULT_EDITORS)
    return [name for name in every if EDITORS[name.base].is_ready_for(model)]
