"""Tokenised windows of texts, for averages over a corpus."""

from collections.abc import Iterator, Sequence

from pitfalls.models.language_model import LanguageModel
from pitfalls.models.tokens import Split

WINDOW = 64
"""Texts per window, within which batches are formed by length to save padding."""


def windows(
    model: LanguageModel, texts: Sequence[str], *, max_tokens: int, max_length: int
) -> Iterator[list[Split]]:
    """Tokenised texts, `WINDOW` at a time.

    Args:
        model: the model; its tokenizer and maximum length apply.
        texts: texts in order.
        max_tokens: most tokens of all texts together; the last text is cut there.
        max_length: most tokens of one text; the rest is left out.
    """
    length = min(max_length, model.max_length or max_length)
    left = max_tokens
    for begin in range(0, len(texts), WINDOW):
        window = []
        for text in texts[begin : begin + WINDOW]:
            ids = model.tokenizer(text, truncation=True, max_length=length)
            ids = tuple(ids["input_ids"])[:left]
            left -= len(ids)
            if ids:
                window.append(Split((), ids))
        if window:
            yield window
        if left <= 0:
            return
