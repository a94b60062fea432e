"""Beginning-of-text tokens, and a prefix in front of every text.

The first token of a text is special (the attention sink): its keys are hundreds of times as long as
others. If the tokenizer adds no token of its own, this is the subject where a one-token subject
starts its prompt.
"""

from tokenizers import processors
from transformers import PreTrainedTokenizerBase

from pitfalls.errors import PitfallsError

BOS = "bos"
"""Prefix that stands for the model's own beginning-of-text token, if the tokenizer adds none."""


def beginning(tokenizer: PreTrainedTokenizerBase) -> int | None:
    """Id of the beginning-of-text token, else of the end-of-text token, else None."""
    tokens = (tokenizer.bos_token_id, tokenizer.eos_token_id)
    return next((int(token) for token in tokens if token is not None), None)


def begin_texts(tokenizer: PreTrainedTokenizerBase, prefix: str, name: str) -> None:
    """Make `tokenizer` put the tokens of `prefix` before every text, after its own special tokens.

    Args:
        tokenizer: the tokenizer, which is changed.
        prefix: `bos`, or text that may contain special tokens such as `<|endoftext|>`; an empty
            text changes nothing.
        name: name of the model, for messages.

    Raises:
        PitfallsError: no such token, or not a fast tokenizer.
    """
    if not prefix:
        return
    own = tokenizer("")["input_ids"]
    if prefix == BOS:
        token = beginning(tokenizer)
        if token is None:
            raise PitfallsError(f"{name} has no beginning-of-text token: give text as the prefix")
        ids = [] if own[:1] == [token] else [token]
    else:
        ids = tokenizer(prefix, add_special_tokens=False)["input_ids"]
    if not ids:
        return
    if not tokenizer.is_fast:
        raise PitfallsError(
            f"{type(tokenizer).__name__} cannot be told to put a prefix in front: load {name} with "
            "its fast tokenizer (tokenizer.json)"
        )
    backend, every = tokenizer.backend_tokenizer, [*own, *ids]
    front = {"id": "front", "ids": every, "tokens": tokenizer.convert_ids_to_tokens(every)}
    backend.post_processor = processors.TemplateProcessing(
        single="front $A", special_tokens=[front]
    )
