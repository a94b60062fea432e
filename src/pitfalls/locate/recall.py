"""A fact as the model is asked for it: a prompt, where its subject lies, and what comes next."""

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
"""What a token is to its prompt, from left to right."""

LAST_SUBJECT = "last subject token"
"""Where ROME and MEMIT read their keys."""


@dataclass(frozen=True, slots=True)
class Recall:
    """A fact's prompt in tokens."""

    fact: Fact
    prompt: str
    ids: tuple[int, ...]
    """The prompt's tokens."""
    begin: int
    """Index of the subject's first token."""
    end: int
    """Index behind the subject's last token."""
    object_ids: tuple[int, ...]
    """The tokens of the object, at least one."""

    @classmethod
    def of(cls, model: LanguageModel, fact: Fact) -> "Recall":
        """The fact under its relation's rewrite prompt.

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
        """Whether the answer's first token stands in the prompt: to say it is no recall."""
        return self.object_ids[0] in self.ids

    @property
    def tail(self) -> range:
        """Indices of the tokens that corrupting the subject can touch: from its first one on."""
        return range(self.begin, len(self.ids))

    def role(self, position: int) -> str:
        """The one of `ROLES` that a token of the tail has.

        A subject of one token is its last one; a prompt that ends with its subject has no last
        token besides.
        """
        first, middle, last, after, further, end = ROLES
        if position < self.end:
            return last if position == self.end - 1 else first if position == self.begin else middle
        if position == len(self.ids) - 1:
            return end
        return after if position == self.end else further
