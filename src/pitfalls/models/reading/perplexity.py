"""Perplexity of a model on text."""

from collections.abc import Sequence

import torch

from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.readout import logprobs_of
from pitfalls.models.running.batching import batches_within
from pitfalls.models.running.passes import right_output
from pitfalls.models.running.patches import row_patches
from pitfalls.models.text.windows import windows
from pitfalls.models.weights.changes import Changes


@torch.no_grad()
def perplexity(
    model: LanguageModel,
    texts: Sequence[str],
    changes: Changes,
    *,
    max_tokens: int = 2048,
    max_length: int = 256,
    token_budget: int = 2048,
) -> float:
    """Perplexity: exp of the mean negative log-probability per token, given those before it.

    Args:
        model: the model; no weight is modified.
        texts: passages; the first token of each is given, not predicted.
        changes: changes of weights to apply.
        max_tokens: most tokens read, from the first text on.
        max_length: most tokens read of one text.
        token_budget: most padded tokens in one forward pass.

    Returns:
        At least 1; NaN if no text has two tokens.
    """
    total, count = 0.0, 0
    for window in windows(model, texts, max_tokens=max_tokens, max_length=max_length):
        long = [text for text in window if len(text.right) > 1]
        for part in batches_within([(1, len(text.right)) for text in long], token_budget):
            batch = model.batch([long[i] for i in part])
            with row_patches(model.network, [changes] * len(part)):
                hidden = right_output(model, batch, None)
            real = batch.mask[:, 1:]
            ids = batch.right[:, 1:][real]
            every = torch.arange(len(ids))
            logprobs = logprobs_of(model, hidden[:, :-1][real], ids, every)
            total -= logprobs.double().sum().item()
            count += len(ids)
    return float(torch.tensor(total / count).exp()) if count else float("nan")
