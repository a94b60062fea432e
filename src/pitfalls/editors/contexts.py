"""Context templates: beginnings that keys and values are averaged over.

Without them an edit hangs on its prompt standing at the start of a text.
"""

import re
from dataclasses import dataclass

import torch

from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel

TRIES = 20
PROSE = re.compile(r"(?:[^\W\d_]|[ ,;.'’\-])+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contexts:
    """Given templates, or how to sample them from the model itself."""

    templates: tuple[str, ...] = ()
    """Used as they are, each with one `{}` for the prompt; the first should be `{}`."""
    lengths: tuple[tuple[int, int], ...] = ((5, 10), (10, 10))
    """Pairs (number of new tokens, number of texts) to sample where no templates are given."""
    words: tuple[str, ...] = ("",)
    """What sampled texts begin with, in turn; the empty word stands for the model's own
    beginning-of-text token, which is what ROME uses."""
    seed: int = 0
    """Same model, same seed, same templates; nobody else's random numbers are touched."""

    def of(self, model: LanguageModel) -> tuple[str, ...]:
        """The templates for `model`: `{}` and short texts of its own, each followed by `. {}`.

        Raises:
            PitfallsError: the model gives nothing that reads as text, or a given template does
                not have exactly one `{}`.
        """
        for template in self.templates:
            if template.count("{}") != 1:
                raise PitfallsError(f"context {template!r}: expected exactly one '{{}}' in it")
        return self.templates or model.remember(self, lambda: self._sampled(model))

    def _sampled(self, model: LanguageModel) -> tuple[str, ...]:
        templates = ["{}"]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            for n_tokens, n_texts in self.lengths:
                for i in range(n_texts):
                    templates.append(_sample(model, self.words[i % len(self.words)], n_tokens))
        return tuple(templates)


def _sample(model: LanguageModel, word: str, n_tokens: int) -> str:
    for _ in range(TRIES):
        text = _continue(model, word, n_tokens)
        if _is_text(text):
            return f"{text}. {{}}"
    raise PitfallsError(
        f"{model.name} does not go on from {word!r} with text but with {text!r}: "
        "give context templates in the editor's settings"
    )


@torch.no_grad()
def _continue(model: LanguageModel, word: str, n_tokens: int) -> str:
    """Sampled among the five likeliest tokens at each step, as ROME does."""
    ids = model.tokenizer(word)["input_ids"] or [_beginning(model)]
    new = model.network.generate(  # type: ignore[operator]
        torch.tensor([ids], device=model.device),
        attention_mask=torch.ones(1, len(ids), dtype=torch.long, device=model.device),
        do_sample=True,
        top_k=5,
        temperature=1.0,
        top_p=1.0,
        max_new_tokens=n_tokens,
        min_new_tokens=n_tokens,
        pad_token_id=0,
    )
    text = str(model.tokenizer.decode(new[0], skip_special_tokens=True))
    return " ".join(text.replace("{", " ").replace("}", " ").split())


def _beginning(model: LanguageModel) -> int:
    for token in (model.tokenizer.bos_token_id, model.tokenizer.eos_token_id):
        if token is not None:
            return int(token)
    raise PitfallsError(
        f"{model.name} has no beginning-of-text token to sample contexts from: "
        "name the words that contexts begin with"
    )


def _is_text(text: str) -> bool:
    """Words and their punctuation: a template of code or brackets averages over nothing."""
    return len(text.split()) >= 2 and PROSE.fullmatch(text) is not None
