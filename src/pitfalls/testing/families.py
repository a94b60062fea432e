"""Tiny random models of every family, made in memory."""

import json
from typing import Any

import torch
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerFast

from pitfalls.errors import UnknownNameError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.random import seeded

TEXT = (
    "The mother of Zoë Kravitz is Lisa Bonet. The capital of Côte d'Ivoire is Yamoussoukro, and "
    "the capital of France is Paris. Łódź is a city in Poland. Marie Curie was born in Warsaw and "
    "worked in the field of physics. The official language of 日本 is Japanese. One day, the "
    "composer was educated at the university of Vienna. Therefore it is known that the author of "
    "the book is Émile Zola, who is a citizen of France and lived in the city of Paris."
)
"""Text that tiny tokenizers learn their words from."""

END = "<|endoftext|>"
VOCABULARY = 400
N_BYTES = 256

SIZES: dict[str, Any] = {
    "hidden_size": 32,
    "num_attention_heads": 4,
    "initializer_range": 0.25,
    "bos_token_id": 0,
    "eos_token_id": 0,
    "pad_token_id": 0,
}
SHORT: dict[str, Any] = {"max_position_embeddings": 256}
WIDE = SHORT | {"intermediate_size": 128}
GATED = SHORT | {"intermediate_size": 96, "num_key_value_heads": 2}
GEMMA = GATED | {"head_dim": 8, "query_pre_attn_scalar": 8, "sliding_window": 6}

FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "gpt2": ("gpt2", {"n_positions": 256}),
    "gptj": ("gptj", {"n_positions": 256, "rotary_dim": 4}),
    "llama": ("llama", GATED),
    "gpt-neo": (
        "gpt_neo",
        SHORT | {"attention_types": [[["local", "global"], 2]], "window_size": 6},
    ),
    "gpt-neox": ("gpt_neox", WIDE),
    "opt": ("opt", SHORT | {"ffn_dim": 128, "word_embed_proj_dim": 32, "init_std": 0.25}),
    "bloom": ("bloom", {}),
    "falcon": ("falcon", SHORT),
    "falcon-alibi": ("falcon", SHORT | {"alibi": True}),
    "phi": ("phi", WIDE),
    "phi3": ("phi3", GATED),
    "mistral": ("mistral", GATED | {"sliding_window": 16}),
    "qwen2": ("qwen2", GATED),
    "qwen3": ("qwen3", GATED | {"head_dim": 8}),
    "gemma2": (
        "gemma2",
        GEMMA | {"final_logit_softcapping": 3.0, "attn_logit_softcapping": 5.0},
    ),
    "gemma3": ("gemma3_text", GEMMA | {"layer_types": ["sliding_attention", "full_attention"] * 2}),
    "olmo2": ("olmo2", GATED),
    "stablelm": ("stablelm", GATED),
}
"""Name → transformers' name of the kind of model, and what its config has besides `SIZES`."""

FAMILY_KINDS = ("gpt2", "llama", "gptj", "bloom", "gemma2")
"""A family of each kind: matrices as Conv1D, gated MLPs, blocks whose MLP and attention run side by
side, positions by ALiBi, norms behind the MLP. For tests that need no more than one of each."""

FIRST_SEED = {
    "gpt2": 1,
    "gpt-neo": 6,
    "gpt-neox": 1,
    "bloom": 2,
    "falcon-alibi": 6,
    "phi": 6,
    "phi3": 2,
    "qwen2": 6,
    "qwen3": 1,
    "gemma3": 5,
    "olmo2": 2,
    "stablelm": 20,
}
"""Where seeds are counted from, if not from 0. In many random networks what an edit does at one
token hardly reaches the end of the text; in these it does."""

BEGINNING = ("llama", "mistral", "phi3", "gemma2", "gemma3")
"""Families whose tokenizers come from SentencePiece: a space belongs to the word behind it and is
written ▁, rare letters are bytes, and every text begins with a token for its beginning."""


def tiny_model(family: str = "llama", seed: int = 0, *, plain: bool = False) -> LanguageModel:
    """A model of four layers that knows nothing; equal seeds give equal weights.

    Args:
        family: one of `FAMILIES`.
        seed: of the weights. The caller's random numbers are not touched.
        plain: to check fast paths against.

    Raises:
        UnknownNameError: no such family.
    """
    tokenizer = tiny_tokenizer(family)
    with seeded(FIRST_SEED.get(family, 0) + seed):
        network = tiny_network(family, vocabulary=len(tokenizer))
        # Libraries start biases at zero and norms at one, where a forgotten one would not show.
        for name, parameter in network.named_parameters():
            if name.endswith("bias"):
                torch.nn.init.normal_(parameter, std=0.1)
            elif parameter.ndim == 1:
                parameter.data += 0.3 * torch.randn_like(parameter).clamp(-2, 2)
    return LanguageModel.wrap(network, tokenizer, name=f"tiny-{family}-{seed}", plain=plain)


def tiny_network(family: str, *, vocabulary: int, layers: int = 4) -> PreTrainedModel:
    """A network of one of `FAMILIES` with weights from torch's random numbers as they stand."""
    if family not in FAMILIES:
        raise UnknownNameError("model family", family, FAMILIES)
    kind, further = FAMILIES[family]
    sizes = {"vocab_size": vocabulary, "num_hidden_layers": layers}
    config = AutoConfig.for_model(kind, **(SIZES | sizes | further))
    network: PreTrainedModel = AutoModelForCausalLM.from_config(config)
    return network


def tiny_tokenizer(family: str = "gpt2") -> PreTrainedTokenizerFast:
    """A tokenizer of the family's own kind, of some hundred tokens, made in memory."""
    made = _pieces() if family in BEGINNING else _byte_level()
    return PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token=END, eos_token=END, unk_token=END
    )


def _byte_level() -> Tokenizer:
    """Byte-level BPE, as GPT-2's."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    return _trained(tokenizer, VOCABULARY, initial_alphabet=alphabet)


def _pieces() -> Tokenizer:
    """SentencePiece's BPE, as Gemma's."""
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    learned = json.loads(_trained(learner, VOCABULARY).to_str())["model"]
    tokens = [*learned["vocab"], *(f"<0x{byte:02X}>" for byte in range(N_BYTES))]
    tokenizer = Tokenizer(
        models.BPE(
            vocab={token: i for i, token in enumerate(tokens)},
            merges=[tuple(pair) for pair in learned["merges"]],
            unk_token=END,
            byte_fallback=True,
        )
    )
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    tokenizer.add_special_tokens([END])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{END} $A", special_tokens=[(END, tokenizer.token_to_id(END))]
    )
    return tokenizer


def _trained(tokenizer: Tokenizer, size: int, **more: Any) -> Tokenizer:
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=[END], show_progress=False, **more
    )
    tokenizer.train_from_iterator([TEXT], trainer)
    return tokenizer
