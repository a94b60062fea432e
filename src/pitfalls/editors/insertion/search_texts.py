"""Texts of a value search: prompts that shall lead to the target, and one that shall not change.

The prompts of one edit differ in the context before them; the last row holds on to the subject's
essence, what the model says after "{s} is a".
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pitfalls.editors.insertion.keys import subject_span
from pitfalls.facts import Edit
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.tokens import Split, tokenize
from pitfalls.models.weights.changes import Changes

KL_PROMPT = "{} is a"
"""Prompt of the KL term: the subject's essence (ROME §3.1)."""


@dataclass(frozen=True, slots=True)
class Row:
    """One prompt, cut so that its right part begins with the subject's last token."""

    split: Split
    labels: tuple[int, ...]
    """Target ids; the last len(labels) tokens predict them, in order. Empty in the KL row, which is
    read at the subject's last token."""
    share: float = 1.0
    """Weight of the row in the mean over the rows with labels."""
    is_whole: bool = False
    """Whether the log-probabilities of its labels are added up instead of averaged."""


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """The rows of one edit, the KL row last, on a model that carries `changes`."""

    rows: tuple[Row, ...]
    changes: Changes

    @property
    def length(self) -> int:
        """Tokens of all right parts."""
        return sum(len(row.split.right) for row in self.rows)

    @property
    def whole_length(self) -> int:
        """Tokens of all rows."""
        return self.length + sum(len(row.split.left) for row in self.rows)

    def weight_of(self, row: Row) -> float:
        """Weight of each of the row's labels: a mean over rows of the mean over labels."""
        return row.share / (self._total * (1 if row.is_whole else len(row.labels)))

    @property
    def floor(self) -> float:
        """The least that the rows that count by shares can come to: the shares' entropy."""
        shares = [row.share for row in self.rows if row.labels and row.is_whole and row.share > 0]
        return -sum(share * math.log(share) for share in shares) / self._total

    @property
    def _total(self) -> float:
        return sum(row.share for row in self.rows if row.labels)


def search_rows(model: LanguageModel, edit: Edit, contexts: Sequence[str]) -> tuple[Row, ...]:
    """A row per context with the target behind it, and the KL row."""
    rows = []
    for context in contexts:
        text, end = subject_span(edit.relation.prompt, edit.subject.label, context)
        tokens = tokenize(model.tokenizer, f"{text} {edit.new_object.label}")
        cut, begin = tokens.last_before(end), tokens.first_beyond(len(text))
        rows.append(Row(Split(tokens.ids[:cut], tokens.ids[cut:-1]), tokens.ids[begin:]))
    text, end = subject_span(KL_PROMPT, edit.subject.label, "{}")
    tokens = tokenize(model.tokenizer, text)
    cut = tokens.last_before(end)
    # The rest of the text decides how the subject is tokenised; what is read cannot see it.
    return (*rows, Row(Split(tokens.ids[:cut], tokens.ids[cut : cut + 1]), ()))
