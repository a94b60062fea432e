"""Demonstrations of edits by text: facts as they are told, and what is said after them."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

import torch
from jaxtyping import Float
from torch import Tensor

from pitfalls.door.paths import place
from pitfalls.door.values import read_json_lines
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.tokens import tokenize
from pitfalls.shapes import Name, Shape, check

PACKAGED = "packaged"
"""Demonstrations of facts that no reported table edits, `data/demonstrations.jsonl`."""


class Demonstration(Shape):
    """A line of a file: a new fact, and up to three sentences that follow it (IKE §3.2)."""

    prompt: Name
    target: Name
    paraphrase: Name | None = None
    """Other words for the prompt; the target follows (update)."""
    neighbour: Name | None = None
    """Prompt about something else; `neighbour_answer` follows, as before (retain)."""
    neighbour_answer: Name | None = None

    @property
    def sentences(self) -> list[str]:
        """The fact told and said again (copy), in other words, and a neighbour."""
        said: list[tuple[str | None, str | None]] = [
            (self.prompt, self.target),
            (self.paraphrase, self.target),
            (self.neighbour, self.neighbour_answer),
        ]
        new = told(f"{self.prompt} {self.target}")
        return [f"{new}{prompt} {answer}\n\n" for prompt, answer in said if prompt and answer]


def told(fact: str) -> str:
    """Text that tells a fact and leaves room for a prompt."""
    return f"New Fact: {fact}\nPrompt: "


def read_demonstrations(name: str) -> list[Demonstration]:
    """The demonstrations of a file of JSON lines, or `packaged`.

    Raises:
        PitfallsError: no such file, or a line of another form; it is named.
    """
    packaged = resources.files("pitfalls.data") / "demonstrations.jsonl"
    rows = read_json_lines(packaged if name == PACKAGED else place(name))
    return [check(Demonstration, row, where=where) for where, row in rows]


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """Sentences and their places, to find the nearest ones to a text.

    The sentence encoder is the mean of the model's own input embeddings, so that none has to be
    fetched; the paper takes a network trained for sentences.
    """

    sentences: tuple[str, ...]
    places: Float[Tensor, "n d"]
    """Directions, each of length 1."""

    @classmethod
    def of(cls, model: LanguageModel, sentences: Sequence[str]) -> "Encoded":
        """All sentences encoded."""
        places = [_encoded(model, sentence) for sentence in sentences]
        return cls(tuple(sentences), torch.stack(places))

    def nearest(self, model: LanguageModel, text: str, count: int) -> list[str]:
        """The sentences of largest cosine with the text, the nearest first."""
        cosines = self.places @ _encoded(model, text)
        order = cosines.topk(min(count, len(cosines))).indices.tolist()
        return [self.sentences[i] for i in order]


def _encoded(model: LanguageModel, text: str) -> Float[Tensor, " d"]:
    ids = torch.tensor(tokenize(model.tokenizer, text).ids, device=model.device)
    mean = model.network.get_input_embeddings()(ids).float().mean(0)
    return mean / mean.norm()
