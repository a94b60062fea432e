"""Tiny GGUF file: a llama with two blocks and a vocabulary of bytes."""

from pathlib import Path

import gguf
import numpy as np

D, MLP, HEADS, BLOCKS = 64, 96, 2, 2
QUANTISED = "blk.0.ffn_down.weight"


def byte_alphabet() -> list[str]:
    """The 256 letters that encode bytes in GPT-2's vocabulary."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(b) if b in plain else chr(next(others)) for b in range(256)]


def tensors() -> dict[str, np.ndarray]:
    """Name → float32 weights, equal at every call."""
    rng = np.random.default_rng(0)
    shapes = {"token_embd.weight": (258, D), "output_norm.weight": (D,)}
    for block in range(BLOCKS):
        names = {
            "attn_norm": (D,),
            "ffn_norm": (D,),
            "attn_q": (D, D),
            "attn_k": (D, D),
            "attn_v": (D, D),
            "attn_output": (D, D),
            "ffn_gate": (MLP, D),
            "ffn_up": (MLP, D),
            "ffn_down": (D, MLP),
        }
        shapes |= {f"blk.{block}.{name}.weight": shape for name, shape in names.items()}
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def write(file: Path, weights: dict[str, np.ndarray] | None = None) -> Path:
    """Write the model, with one matrix as Q4_1 like the packaged default."""
    writer = gguf.GGUFWriter(str(file), "llama")
    writer.add_name("tiny")
    writer.add_context_length(64)
    writer.add_embedding_length(D)
    writer.add_block_count(BLOCKS)
    writer.add_feed_forward_length(MLP)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(258)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(["<|endoftext|>", *byte_alphabet(), "Ġa"])
    writer.add_token_types([3] + [1] * 257)
    writer.add_token_merges(["Ġ a"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    for name, weight in (weights or tensors()).items():
        if name == QUANTISED:
            q4_1 = gguf.GGMLQuantizationType.Q4_1
            writer.add_tensor(name, gguf.quantize(weight, q4_1), raw_dtype=q4_1)
        else:
            writer.add_tensor(name, weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file
