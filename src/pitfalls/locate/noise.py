"""Corruption of subjects by Gaussian noise on their token embeddings."""

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
    """Standard deviation σ of the entries of the subjects' token embeddings.

    Every distinct subject counts once. Embeddings are the outputs of the embedding module: if it
    scales them, σ refers to the scaled ones, to which the noise is added as well.
    """
    spans = {each.fact.subject: each.ids[each.begin : each.end] for each in recalls}
    ids = torch.tensor([id for span in spans.values() for id in span], device=model.device)
    # As a batch of one row: some embeddings require two axes.
    return _embedding(model)(ids[None]).float().std().item()


def subject_noise(
    model: LanguageModel, recall: Recall, *, samples: int, scale: float, seed: int
) -> Float[Tensor, "samples subject d"]:
    """Noise N(0, scale²) in float32 for the subject's tokens.

    It depends only on the prompt and the seed, not on the other facts traced.
    """
    random = torch.Generator().manual_seed(seed * 1_000_003 + zlib.crc32(recall.prompt.encode()))
    # Width of the embedding itself: some models project it to a larger one.
    width = _embedding(model).get_parameter("weight").shape[1]
    shape = (samples, recall.end - recall.begin, width)
    return scale * torch.randn(shape, generator=random)


@contextmanager
def corrupted(model: LanguageModel, noise: Float[Tensor, "rows tokens d"]) -> Iterator[None]:
    """Inside the block, add `noise` to the embeddings of one batch of texts.

    The batch may arrive in several calls, each with the columns after those of the one before.
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
