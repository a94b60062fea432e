"""The beginning-of-text token: which it is, and a tokenizer that puts it in front.

Models treat the first token of a text in a way of their own: its keys are hundreds of times as long
as those of others (the attention sink). Where a tokenizer puts nothing in front, a subject of one
token that begins its prompt is that token.
"""

from tokenizers import processors
from transformers import PreTrainedTokenizerBase

from pitfalls.errors import PitfallsError


def beginning(tokenizer: PreTrainedTokenizerBase, name: str) -> int:
    """The id of the token that texts begin with, or of the one that ends them where there is none.

    Args:
        tokenizer: of the model.
        name: the model's, for the message.

    Raises:
        PitfallsError: it has neither.
    """
    for token in (tokenizer.bos_token_id, tokenizer.eos_token_id):
        if token is not None:
            return int(token)
    raise PitfallsError(f"{name} has no beginning-of-text token")


def begin_texts(tokenizer: PreTrainedTokenizerBase, name: str) -> None:
    """Make `tokenizer` put the beginning-of-text token in front, unless it does so already.

    Raises:
        PitfallsError: it has none, or is not a fast tokenizer.
    """
    token = beginning(tokenizer, name)
    if tokenizer("a")["input_ids"][0] == token:
        return
    if not tokenizer.is_fast:
        raise PitfallsError(
            f"{type(tokenizer).__name__} cannot be told to put a token in front: load {name} with "
            "its fast tokenizer (tokenizer.json)"
        )
    text = tokenizer.convert_ids_to_tokens(token)
    first = processors.TemplateProcessing(single=f"{text} $A", special_tokens=[(text, token)])
    backend = tokenizer.backend_tokenizer
    own = [backend.post_processor] if backend.post_processor else []
    backend.post_processor = processors.Sequence([*own, first])
