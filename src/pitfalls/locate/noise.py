"""Corrupting a subject: Gaussian noise on what the embedding says of its tokens."""

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pitfalls.locate.recall import Recall
from pitfalls.models.language_model import LanguageModel


@torch.no_grad()
def embedding_spread(model: LanguageModel, recalls: Sequence[Recall]) -> float:
    """σ: the standard deviation of the entries of the subjects' token embeddings.

    Every distinct subject counts once. The embedding is what its module gives: where a model scales
    it inside, σ is of the scaled one, as is what the noise is added to.
    """
    spans = {each.fact.subject: each.ids[each.begin : each.end] for each in recalls}
    ids = torch.tensor([id for span in spans.values() for id in span], device=model.device)
    # As a text of one row: some embeddings take nothing else.
    return _embedding(model)(ids[None]).float().std().item()


def subject_noise(
    model: LanguageModel, recall: Recall, *, samples: int, scale: float, seed: int
) -> Float[Tensor, "samples subject d"]:
    """Noise in float32 for the subject's tokens, N(0, scale²).

    It hangs on the prompt and the seed alone, not on what else is traced.
    """
    random = torch.Generator().manual_seed(seed * 1_000_003 + zlib.crc32(recall.prompt.encode()))
    # The embedding's own width: some models widen it afterwards.
    width = _embedding(model).get_parameter("weight").shape[1]
    shape = (samples, recall.end - recall.begin, width)
    return scale * torch.randn(shape, generator=random)


@contextmanager
def corrupted(model: LanguageModel, noise: Float[Tensor, "rows tokens d"]) -> Iterator[None]:
    """Inside the block, `noise` is added to the embeddings of one batch of texts.

    A batch may come in pieces, the columns of the later ones following those of the earlier.
    """
    noise = noise.to(model.device)
    done = 0

    def add(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        nonlocal done
        begin, done = done, done + output.shape[1]
        return (output.float() + noise[:, begin:done]).to(output.dtype)

    handle = _embedding(model).register_forward_hook(add)
    try:
        yield
    finally:
        handle.remove()


def _embedding(model: LanguageModel) -> nn.Module:
    module: nn.Module = model.network.get_input_embeddings()
    return module
