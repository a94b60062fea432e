"""The beginning of texts: the token that a model has for it, and text that is put in front.

Models treat the first token of a text in a way of their own: its keys are hundreds of times as long
as those of others (the attention sink). Where a tokenizer puts nothing in front, a subject of one
token that begins its prompt is that token.
"""

from tokenizers import processors
from transformers import PreTrainedTokenizerBase

from pitfalls.errors import PitfallsError

BOS = "bos"
"""As a prefix: the model's own beginning-of-text token, where the tokenizer does not put it there
by itself."""


def beginning(tokenizer: PreTrainedTokenizerBase) -> int | None:
    """The id of the token that texts begin with; of the one that ends them if there is none."""
    tokens = (tokenizer.bos_token_id, tokenizer.eos_token_id)
    return next((int(token) for token in tokens if token is not None), None)


def begin_texts(tokenizer: PreTrainedTokenizerBase, prefix: str, name: str) -> None:
    """Make `tokenizer` put the tokens of `prefix` in front of every text, behind its own.

    Args:
        tokenizer: it is changed.
        prefix: `bos`, or text, in which special tokens such as `<|endoftext|>` are tokens; nothing
            leaves the tokenizer as it is.
        name: the model's, for messages.

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
