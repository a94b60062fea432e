"""Grammatical shape of a relation's label, such as participle and preposition, and its prompt.

Every word is tagged with a letter for its part of speech, and a shape is a regular expression over
these letters. A label with words that `label_words.toml` does not cover gets the likeliest draft,
marked as unsure.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator

from pitfalls.door.values import read_toml
from pitfalls.shapes import Shape, check

_NOUN_ENDINGS = re.compile(
    r".{2,}(?:tion|sion|ment|ness|ity|ship|hood|ance|ence|ism|ist|logy|graphy|er|or|ian|ture)"
)
_WORD = re.compile(r"[^\W\d_][\w'-]*")


def _split(text: str) -> frozenset[str]:
    return frozenset(text.split())


Words: TypeAlias = Annotated[frozenset[str], BeforeValidator(_split)]


class Lexicon(Shape):
    """The word lists of `label_words.toml`."""

    prepositions: Words
    verbs: Words
    adjectives: Words
    participles: Words
    no_participles: Words
    roles: Words
    modifiers: Words
    two_sided: Words
    others: Words
    nouns: Words
    no_nouns: Words

    def letter(self, word: str) -> str:
        """Tag of a word: N noun, S plural, D participle, X modifier of a noun, ? unknown, …."""
        low = word.casefold()
        if _WORD.fullmatch(word) is None:
            return "?"
        if listed := [letter for letter, words in self._letters() if low in words]:
            return listed[0]
        if self._is_noun(low):
            return "N"
        if low.endswith("ed") and low not in self.no_participles:
            return "D"
        if low.endswith("s") and not low.endswith(("ss", "us", "is")):
            singulars = low[:-1], low.removesuffix("es"), f"{low.removesuffix('ies')}y"
            return "S" if any(map(self._is_noun, singulars)) else "?"
        return "X"

    def _letters(self) -> Iterator[tuple[str, Collection[str]]]:
        yield from {"O": ("of",), "Y": ("by",), "H": ("has",), "T": ("the",)}.items()
        yield from (("B", ("is", "was")), ("P", self.prepositions), ("V", self.verbs))
        yield from (("J", self.adjectives), ("D", self.participles), ("R", self.roles))
        yield from (("X", self.modifiers), ("?", self.two_sided), ("?", self.others))

    def _is_noun(self, word: str) -> bool:
        ending = _NOUN_ENDINGS.fullmatch(word) is not None and word not in self.no_nouns
        return ending or word in self.nouns


@cache
def lexicon() -> Lexicon:
    """The packaged word lists."""
    source = resources.files("pitfalls.data") / "label_words.toml"
    return check(Lexicon, read_toml(source), where="label_words.toml")


@dataclass(frozen=True, slots=True)
class LabelShape:
    """Labels of one grammatical shape, and the prompt that suits all of them."""

    name: str
    pattern: str
    """Regular expression over the words' tags; the words of its group go into the prompt."""
    prompt: str
    """`<>` stands for the words, `<a>` for their article, `{}` for the subject."""
    noun: bool = False
    """Whether "The <> of {} is" is English."""


_NOUN = "[XNDJR]*(?:N|R(?!O))"
_OF = "(?:OT?[XNDJR]*[XNR])?"
_PHRASE = _NOUN + _OF
SHAPES = (
    LabelShape("noun", f"({_PHRASE})", "The <> of {} is", noun=True),
    LabelShape("has and noun", f"H({_PHRASE})", "The <> of {} is", noun=True),
    LabelShape("plural", f"([XNDJR]*S{_OF})", "The <> of {} include"),
    LabelShape("noun and participle", f"({_NOUN}D)", "The <> by {} is"),
    LabelShape("plural and participle", "([XNDJR]*SD)", "The <> by {} include"),
    LabelShape("noun and of", "([XNDJR]*[NR]O)", "{} is <a> <>"),
    LabelShape("role and of a noun", f"([XDJ]*ROT{_PHRASE})", "{} is <a> <> called"),
    LabelShape("noun and by", f"({_PHRASE})Y", "The <> of {} is by"),
    LabelShape("participle and by", "(DY)", "{} was <>"),
    LabelShape("participle and preposition", "(D[PO])", "{} is <>"),
    LabelShape("adjective and preposition", "(J[PO])", "{} is <>"),
    LabelShape("participle, preposition and noun", f"(D[PO]T{_PHRASE})", "{} is <> called"),
    LabelShape("participle, by and noun", f"(DYT{_PHRASE})", "{} was <> called"),
    LabelShape("verb", "(V|V[PO])", "{} <>"),
    LabelShape("has and participle", "(HD[PO])", "{} <>"),
    LabelShape("is or was and more", "(B[XNDJTPOY?]*[POY])", "{} <>"),
)
"""Shapes whose drafts are grammatical, provided all words are known."""
_UNSURE = (
    LabelShape("ends in a preposition", "(.*[POY])", "{} is <>"),
    LabelShape("begins with a verb", "([VHB].*)", "{} <>"),
    LabelShape("anything", "(.*)", "The <> of {} is"),
)


@dataclass(frozen=True, slots=True)
class Shaped:
    """A label matched to its shape."""

    shape: LabelShape
    words: str
    """Words of the label that go into the prompt."""
    sure: bool

    @property
    def noun(self) -> str:
        """Noun for the object's relation to the subject; empty if the label is not a noun."""
        return self.words if self.shape.noun else ""

    @property
    def prompt(self) -> str:
        """The rewrite prompt."""
        told = self.shape.prompt.replace("<a>", article(self.words).lower())
        return told.replace("<>", self.words)


def shape_of(label: str) -> Shaped:
    """Match a label to its shape: a sure one, or else the likeliest."""
    words = label.split()
    if len(words) > 1 and words[0].casefold() in ("a", "an", "the"):
        del words[0]
    for opening in (words, _with_article(words)):
        letters = "".join(map(lexicon().letter, opening))
        for shape in SHAPES:
            if found := re.fullmatch(shape.pattern, letters):
                return Shaped(shape, " ".join(opening[slice(*found.span(1))]), sure=True)
    letters = "".join(map(lexicon().letter, words))
    shape = next(each for each in _UNSURE if re.fullmatch(each.pattern, letters))
    return Shaped(shape, " ".join(words), sure=False)


def article(noun: str) -> str:
    """`A` or `An`, by the initial sound of the noun as far as its spelling shows it."""
    an = re.match(r"[aeio]|u(?!ni|s[aeiu]|ti)|hono|hour|heir", noun, re.IGNORECASE)
    return "An" if an and not re.match(r"one\b|eu", noun, re.IGNORECASE) else "A"


def _with_article(words: list[str]) -> list[str]:
    """`located in time zone` → `located in the time zone`."""
    return [*words[:2], "the", *words[2:]] if len(words) > 2 else words
