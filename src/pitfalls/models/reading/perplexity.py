"""How well a model predicts text: what an edit must not harm."""

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
    """Exp of the mean negative log-probability of each token given those before it in its text.

    Args:
        model: the model; no weight is touched.
        texts: passages; the first token of each is given, not predicted.
        changes: what is added to the weights.
        max_tokens: the beginning of the texts that is read.
        max_length: tokens of one text that are read.
        token_budget: the most padded tokens in one forward pass.

    Returns:
        From 1 up; not a number if the texts hold no two tokens in a row.
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
            every = torch.arange(len(ids), device=model.device)
            logprobs = logprobs_of(model, hidden[:, :-1][real], ids, every)
            total -= logprobs.double().sum().item()
            count += len(ids)
    return float(torch.tensor(total / count).exp()) if count else float("nan")
