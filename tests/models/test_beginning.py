"""A prefix comes before every text and shifts all positions, but changes nothing else."""

from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerFast

from pitfalls.cache import cache_root
from pitfalls.errors import PitfallsError
from pitfalls.models.beginning import begin_texts
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.moments import MomentSettings, second_moments
from pitfalls.models.tokens import tokenize, tokenize_target
from pitfalls.testing import FAMILIES, tiny_tokenizer
from pitfalls.testing.families import BEGINNING, END

PROMPT, TARGET = "The colour of the sky is", "pale blue"


@pytest.mark.parametrize("family", FAMILIES)
def test_the_models_own_token_stands_in_front_once(family: str) -> None:
    own, told = tiny_tokenizer(family), tiny_tokenizer(family)
    begin_texts(told, "bos", family)
    added = () if family in BEGINNING else (own.bos_token_id,)
    before, after = tokenize_target(own, PROMPT, TARGET)
    assert tokenize_target(told, PROMPT, TARGET) == ((*added, *before), after)
    end = len("The colour of the sky")
    position = tokenize(own, PROMPT).last_before(end)
    assert tokenize(told, PROMPT).last_before(end) == position + len(added)
    assert tuple(told("")["input_ids"]) == (own.bos_token_id,)


@pytest.mark.parametrize("family", ["gpt2", "llama"])
@pytest.mark.parametrize("prefix", ["Look up. ", END, f"Look{END} "])
def test_text_stands_in_front_behind_what_the_tokenizer_puts_there(
    family: str, prefix: str
) -> None:
    own, told = tiny_tokenizer(family), tiny_tokenizer(family)
    begin_texts(told, prefix, family)
    words = own(prefix, add_special_tokens=False)["input_ids"]
    special = own("")["input_ids"]
    plain, begun = tokenize(own, PROMPT), tokenize(told, PROMPT)
    assert begun.ids == (*special, *words, *plain.ids[len(special) :])
    assert begun.offsets[-3:] == plain.offsets[-3:]
    assert told(PROMPT, truncation=True, max_length=30)["input_ids"] == list(begun.ids[:30])


def test_asked_twice_there_is_still_one() -> None:
    tokenizer = tiny_tokenizer()
    begin_texts(tokenizer, "bos", "tiny")
    once = tokenize(tokenizer, PROMPT)
    begin_texts(tokenizer, "bos", "tiny")
    assert tokenize(tokenizer, PROMPT) == once


def test_a_model_without_such_a_token_is_refused() -> None:
    bare = PreTrainedTokenizerFast(tokenizer_object=tiny_tokenizer().backend_tokenizer)
    with pytest.raises(PitfallsError, match="tiny has no beginning-of-text token"):
        begin_texts(bare, "bos", "tiny")


def test_keys_behind_it_have_second_moments_of_their_own(
    tiny_folder: Path, moments: MomentSettings
) -> None:
    plain, begun = (LanguageModel.load(str(tiny_folder), prefix=p) for p in ("", "bos"))
    assert LanguageModel.outline(str(tiny_folder), prefix="bos").tokenizer("")["input_ids"]
    assert plain.fingerprint == begun.fingerprint
    (without,) = second_moments(plain, [1], moments).values()
    (behind,) = second_moments(begun, [1], moments).values()
    assert len(list(cache_root().glob("moments/*.safetensors"))) == 2
    assert behind.about.tokens > without.about.tokens
