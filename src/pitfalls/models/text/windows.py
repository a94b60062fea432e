"""The beginning of a text in token windows, for whatever is averaged over text."""

from collections.abc import Iterator, Sequence

from pitfalls.models.language_model import LanguageModel
from pitfalls.models.tokens import Split

WINDOW = 64
"""Texts that are sorted by length together, so that batches waste little on padding."""


def windows(
    model: LanguageModel, texts: Sequence[str], *, max_tokens: int, max_length: int
) -> Iterator[list[Split]]:
    """The tokenised texts, `WINDOW` at a time.

    Args:
        model: whose tokens they are, and which reads so many at once.
        texts: in order.
        max_tokens: of all texts together; the last one is cut there.
        max_length: of one text; what is beyond is left out.
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
