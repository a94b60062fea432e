"""Positions of targets and subjects are right for every treatment of spaces by tokenizers."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import AutoTokenizer, PreTrainedTokenizer, PreTrainedTokenizerFast

from pitfalls.editors.insertion.keys import subject_span
from pitfalls.errors import PitfallsError
from pitfalls.models.tokens import Split, batch_splits, tokenize, tokenize_target
from pitfalls.testing import TEXT

GOLDEN = Path(
    os.environ.get("PITFALLS_GOLDEN", Path(__file__).parents[3] / "shared" / "golden" / "open")
)
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def byte_level(*, add_prefix_space: bool, trim_offsets: bool) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=trim_offsets)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([TEXT], trainer)
    return tokenizer


def with_beginning(tokenizer: Tokenizer) -> Tokenizer:
    """Tokenizer like Llama's: every text starts with a token without characters."""
    tokenizer.add_special_tokens(["<s>"])
    number = tokenizer.token_to_id("<s>")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", number)]
    )
    return tokenizer


def unigram() -> Tokenizer:
    """Tokenizer with SentencePiece's unigram model, as newer conversions write it."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
    trainer = trainers.UnigramTrainer(
        vocab_size=300,
        special_tokens=["<unk>"],
        unk_token="<unk>",
        initial_alphabet=sorted(set(LETTERS + MARKS)),
        show_progress=False,
    )
    tokenizer.train_from_iterator([TEXT], trainer)
    return with_beginning(tokenizer)


def byte_fallback() -> Tokenizer:
    """Tokenizer like Llama 2's: spaces by a normalizer, rare letters as bytes."""
    letters = sorted(set(TEXT.replace(" ", "▁")) - set("Łź日本"))
    pairs = [("▁", "▁"), ("▁", "i"), ("▁i", "s"), ("▁", "t"), ("a", "n"), ("a", "r"), ("▁t", "h")]
    tokens = ["<unk>", *BYTES, *letters, *(a + b for a, b in pairs)]
    tokenizer = Tokenizer(
        models.BPE(
            vocab={token: i for i, token in enumerate(tokens)},
            merges=pairs,
            unk_token="<unk>",
            byte_fallback=True,
            fuse_unk=True,
        )
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    return with_beginning(tokenizer)


LETTERS = "abeiosztPŁźéèüô日本"
MARKS = ".,'- "

MAKERS: dict[str, Callable[[], Tokenizer]] = {
    "bytes": lambda: byte_level(add_prefix_space=False, trim_offsets=False),
    "bytes, trimmed": lambda: byte_level(add_prefix_space=False, trim_offsets=True),
    "bytes, prefixed": lambda: byte_level(add_prefix_space=True, trim_offsets=False),
    "bytes, both": lambda: byte_level(add_prefix_space=True, trim_offsets=True),
    "bytes, bos": lambda: with_beginning(byte_level(add_prefix_space=False, trim_offsets=True)),
    "unigram": unigram,
    "byte fallback": byte_fallback,
}
TOKENIZERS = {
    name: PreTrainedTokenizerFast(tokenizer_object=make()) for name, make in MAKERS.items()
} | {
    str(folder.parent.name): AutoTokenizer.from_pretrained(folder)
    for folder in sorted(GOLDEN.glob("*/model"))
}

words = st.text(alphabet=LETTERS, min_size=1, max_size=4)
texts = st.lists(words, min_size=1, max_size=3).flatmap(
    lambda parts: st.sampled_from([" ", "  ", "-", ", "]).map(lambda mark: mark.join(parts))
)
PROMPTS = (
    "{}",
    "{} is",
    "The mother of {}",
    "The mother of {}, ",
    "In the city of {}'s author,  it is",
    "  {}",
    "{}, ",
)
CONTEXTS = ("{}", "One day, in 日本.  {}", "Łó. {}")


def spelled(tokenizer: PreTrainedTokenizerFast, ids: tuple[int, ...]) -> str:
    """Text of the ids, without leading spaces, on which tokenizers differ."""
    text = tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return text.lstrip()


@pytest.mark.parametrize("name", TOKENIZERS)
@given(subject=texts, target=texts, prompt=st.sampled_from(PROMPTS))
def test_prompt_and_target_are_the_text_cut_between_them(
    name: str, subject: str, target: str, prompt: str
):
    tokenizer = TOKENIZERS[name]
    before, after = tokenize_target(tokenizer, prompt.format(subject), target)
    text = f"{prompt.format(subject)} {target}"
    assert before + after == tokenize(tokenizer, text).ids
    assert spelled(tokenizer, after) == target
    # A token that holds the prompt's last space and the one after it goes to the target.
    assert spelled(tokenizer, before).rstrip() == prompt.format(subject).strip()


@pytest.mark.parametrize("name", TOKENIZERS)
@given(
    subject=texts,
    prompt=st.sampled_from(PROMPTS),
    context=st.sampled_from(CONTEXTS),
    target=texts,
)
def test_the_subject_ends_with_its_last_token(
    name: str, subject: str, prompt: str, context: str, target: str
):
    tokenizer = TOKENIZERS[name]
    text, end = subject_span(prompt, subject, context)
    assert text[:end].endswith(subject)
    tokens = tokenize(tokenizer, f"{text} {target}")
    last = tokens.last_before(end)
    wanted = text[:end].lstrip()
    assert spelled(tokenizer, tokens.ids[: last + 1]).startswith(wanted)
    assert not spelled(tokenizer, tokens.ids[:last]).startswith(wanted)


@pytest.mark.parametrize("name", TOKENIZERS)
@given(prompt=texts, targets=st.lists(texts, min_size=2, max_size=4))
def test_targets_share_their_prompts_tokens(name: str, prompt: str, targets: list[str]):
    """Required for one pass over the prompt to serve all its targets."""
    cut = {tokenize_target(TOKENIZERS[name], prompt, target)[0] for target in targets}
    assert len(cut) == 1


def test_a_beginning_token_belongs_to_the_prompt_and_covers_nothing():
    tokenizer = TOKENIZERS["bytes, bos"]
    tokens = tokenize(tokenizer, "Łódź")
    assert tokens.offsets[0] == (0, 0)
    assert tokens.last_before(1) > 0
    before, _ = tokenize_target(tokenizer, "Łódź", "Paris")
    assert before == tokens.ids


def test_letters_of_several_tokens_are_there():
    """Otherwise the tests above would not cover such letters."""
    offsets = tokenize(TOKENIZERS["bytes"], "日").offsets
    assert len(offsets) > 1
    assert set(offsets) == {(0, 1)}
    assert len(tokenize(TOKENIZERS["byte fallback"], "日").ids) > len("日") + 1


def test_a_slow_tokenizer_is_refused():
    class Slow(PreTrainedTokenizer):
        vocab_size = 1

        def get_vocab(self) -> dict[str, int]:
            return {}

    with pytest.raises(PitfallsError, match=r"Slow gives no character offsets.*tokenizer\.json"):
        tokenize(Slow(), "text")


ids = st.lists(st.integers(1, 99), max_size=5).map(tuple)
cuts = st.lists(st.tuples(ids, ids.filter(bool)), min_size=1, max_size=5)


@given(cuts=cuts, n_left=st.integers(0, 8))
def test_a_batch_holds_every_token_once_and_cuts_in_one_column(
    cuts: list[tuple[tuple[int, ...], tuple[int, ...]]], n_left: int
):
    rows = [Split(left, right) for left, right in cuts]
    batch = batch_splits(rows, device=torch.device("cpu"), n_left=n_left)
    columns = batch.left.shape[1]
    assert columns == max(n_left, *(len(row.left) for row in rows))
    whole = [*zip(batch.left, batch.right, strict=True)]
    for i, row in enumerate(rows):
        left, right = (part.tolist() for part in whole[i])
        mask = batch.mask[i].tolist()
        assert [t for t, real in zip(left, mask[:columns], strict=True) if real] == list(row.left)
        assert [t for t, real in zip(right, mask[columns:], strict=True) if real] == list(row.right)
        assert batch.lengths[i] == len(row.right)
        real = [p for p, on in zip(batch.positions[i].tolist(), mask, strict=True) if on]
        assert real == list(range(len(row.left) + len(row.right)))
        assert mask[columns], "the right part begins at the cut"
