"""Tokens of a fact's prompt, its subject and its object."""

from dataclasses import dataclass

from pitfalls.facts import Fact
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.tokens import tokenize

ROLES = (
    "first subject token",
    "middle subject tokens",
    "last subject token",
    "first token after",
    "further tokens",
    "last token",
)
"""Roles of a prompt's tokens, from left to right."""

LAST_SUBJECT = "last subject token"
"""Position from which ROME and MEMIT take their keys."""


@dataclass(frozen=True, slots=True)
class Recall:
    """A fact's tokenised prompt."""

    fact: Fact
    prompt: str
    ids: tuple[int, ...]
    """Token ids of the prompt."""
    begin: int
    """Index of the subject's first token."""
    end: int
    """Index after the subject's last token."""
    object_ids: tuple[int, ...]
    """Token ids of the object, at least one."""

    @classmethod
    def of(cls, model: LanguageModel, fact: Fact) -> "Recall":
        """Tokenise a fact with its relation's rewrite prompt.

        Raises:
            PitfallsError: the tokenizer cannot give character offsets.
        """
        prompt = fact.relation.prompt.format(fact.subject.label)
        begin = len(fact.relation.prompt.partition("{}")[0])
        tokens = tokenize(model.tokenizer, f"{prompt} {fact.object.label}")
        cut = tokens.first_beyond(len(prompt))
        return cls(
            fact,
            prompt,
            tokens.ids[:cut],
            tokens.first_beyond(begin),
            tokens.last_before(begin + len(fact.subject.label)) + 1,
            tokens.ids[cut:],
        )

    @property
    def copies(self) -> bool:
        """Whether the object's first token is in the prompt, so that it could be copied."""
        return self.object_ids[0] in self.ids

    @property
    def tail(self) -> range:
        """Indices of the tokens that the corruption can affect: from the subject's first on."""
        return range(self.begin, len(self.ids))

    def role(self, position: int) -> str:
        """Role of a token of the tail, one of `ROLES`.

        The only token of a one-token subject counts as its last. A prompt that ends with its
        subject has no other last token.
        """
        first, middle, last, after, further, end = ROLES
        if position < self.end:
            return last if position == self.end - 1 else first if position == self.begin else middle
        if position == len(self.ids) - 1:
            return end
        return after if position == self.end else further
