"""k*: what the second MLP matrix sees at the subject's last token, averaged over contexts."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pitfalls.facts import Edit
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.running.batching import batches_within, run_split_on_oom
from pitfalls.models.running.patches import row_patches
from pitfalls.models.running.trace import traffic
from pitfalls.models.tokens import Split, Tokens, tokenize
from pitfalls.models.weights.changes import Changes


def subject_span(prompt: str, subject: str, context: str) -> tuple[str, int]:
    """A prompt with its subject inside a context, and where the subject ends in it (characters)."""
    before = context.partition("{}")[0] + prompt.partition("{}")[0]
    return context.format(prompt.format(subject)), len(before) + len(subject)


def tokenize_to_subject(model: LanguageModel, edit: Edit, context: str) -> tuple[Tokens, int]:
    """Tokens of the edit's prompt in a context, and the index of the subject's last one."""
    text, end = subject_span(edit.relation.prompt, edit.subject.label, context)
    tokens = tokenize(model.tokenizer, text)
    return tokens, tokens.last_before(end)


def subject_traffic(
    model: LanguageModel,
    requests: Sequence[tuple[Edit, str, Changes]],
    *,
    module: nn.Module,
    token_budget: int,
) -> tuple[Float[Tensor, "n d_in"], Float[Tensor, "n d_out"]]:
    """Input and output of `module` at the subject's last token.

    Args:
        model: the model.
        requests: edit, context template and the changes the model carries, for every row wanted.
        module: the second MLP matrix of a layer, for keys and values, or a whole block.
        token_budget: the most padded tokens in one forward pass.
    """
    rows = []
    for edit, context, changes in requests:
        tokens, last = tokenize_to_subject(model, edit, context)
        rows.append((Split((), tokens.ids[: last + 1]), changes))

    def read(part: Sequence[int]) -> list[tuple[Tensor, Tensor]]:
        with row_patches(model.network, [rows[i][1] for i in part]):
            batch = model.batch([rows[i][0] for i in part])
            k, v = traffic(model, batch, {"module": module})["module"]
        last = batch.lengths - 1
        every = torch.arange(len(part), device=last.device)
        return list(zip(k[every, last].float(), v[every, last].float(), strict=True))

    found: dict[int, tuple[Tensor, Tensor]] = {}
    for part in batches_within([(1, len(split.right)) for split, _ in rows], token_budget):
        found.update(zip(part, run_split_on_oom(read, part), strict=True))
    ordered = [found[i] for i in range(len(rows))]
    return torch.stack([k for k, _ in ordered]), torch.stack([v for _, v in ordered])
