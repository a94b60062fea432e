"""Prompts for a relation that nobody has worded: drafted from its label and aliases by patterns.

A label of Wikidata's is a noun (`doctoral advisor`), a verb (`has use`) or words that end in a
preposition (`member of`); each sort has its own patterns, whose first gives the rewrite prompt. The
nouns among the aliases give the first paraphrases, in the same form. Drafts read correctly but
stiffly: for cases that matter, write better ones.
"""

import re
from collections.abc import Iterator, Sequence

from pitfalls.errors import PitfallsError
from pitfalls.facts import Relation, template_fault

PARAPHRASES = 10
"""As many as the paper's relations have."""
_MOST_ALIASES = 4

_PREPOSITIONS = frozenset(
    [
        "of",
        "in",
        "at",
        "by",
        "to",
        "from",
        "on",
        "with",
        "for",
        "as",
        "after",
        "during",
        "into",
        "under",
        "over",
        "through",
        "near",
    ]
)
_VERBS = frozenset(
    ["has", "have", "was", "is", "are", "were", "does", "did", "contains", "depicts", "follows"]
)
_PLAIN = re.compile(r"[^\W\d_][\w',/ -]*")

_NOUN = (
    "The {label} of {} is",
    "{}'s {label} is",
    "For {}, the {label} is",
    "The name given for the {label} of {} is",
    "It is known that the {label} of {} is",
    "Reference works say that the {label} of {} is",
    "When people speak of {}, the {label} they name is",
    "Asked for the {label} of {}, one should answer",
    "An entry on {} would state that the {label} is",
    "Whoever looks up the {label} of {} will find",
    "In the case of {}, the {label} is",
)
_PHRASE = (
    "{} is {label}",
    "It is known that {} is {label}",
    "Reference works say that {} is {label}",
    "In fact, {} is {label}",
    "An entry on {} would state that it is {label}",
    "As everyone agrees, {} is {label}",
    "People who know {} say that it is {label}",
    "It is recorded that {} is {label}",
    "One fact about {} is that it is {label}",
    "It is safe to say that {} is {label}",
    "Whoever looks up {} will find that it is {label}",
)
_VERB = (
    "{} {label}",
    "It is known that {} {label}",
    "Reference works say that {} {label}",
    "In fact, {} {label}",
    "An entry on {} would state that it {label}",
    "As everyone agrees, {} {label}",
    "People who know {} say that it {label}",
    "It is recorded that {} {label}",
    "One fact about {} is that it {label}",
    "It is safe to say that {} {label}",
    "Whoever looks up {} will find that it {label}",
)


def draft_relation(id: str, label: str, aliases: Sequence[str] = ()) -> Relation:
    """A relation with a rewrite prompt, ten paraphrases and a question.

    Raises:
        PitfallsError: no sound prompts come out of this label; the line says what is wrong.
    """
    words = _words(label)
    prompt, *rest = _fill(words or label)
    others = [alias for alias in map(_words, aliases) if _is_noun(alias)]
    others = [alias for alias in others if alias.casefold() != words.casefold()]
    others = list({alias.casefold(): alias for alias in reversed(others)}.values())[::-1]
    first = [f"The {alias} of {{}} is" for alias in others] if _is_noun(words) else []
    paraphrases = tuple(dict.fromkeys([*first[:_MOST_ALIASES], *rest]))[:PARAPHRASES]
    query = f"What is the {words} of {{}}?" if _is_noun(words) else f"{prompt} what?"
    if fault := next(wording_faults((prompt, *paraphrases)), None):
        raise PitfallsError(f"relation {id} ({label}): {fault}; write its prompts yourself")
    return Relation(id, label, prompt, paraphrases, query)


def wording_faults(templates: Sequence[str]) -> Iterator[str]:
    """What is wrong with a relation's prompts: the rewrite prompt and ten paraphrases."""
    if len(templates) != 1 + PARAPHRASES:
        yield f"has {len(templates)} prompts, expected 1 and {PARAPHRASES} paraphrases"
    seen: set[str] = set()
    for template in templates:
        if template.casefold() in seen:
            yield f"prompt {template!r} is there twice"
        seen.add(template.casefold())
        if fault := template_fault(template) or _grammar_fault(template):
            yield f"prompt {template!r} {fault}"


_GRAMMAR = (
    (re.compile(r"^\s|\s\s|\s$"), "has a space too many"),
    (re.compile(r"[^\w}\")]$"), "ends in a mark, expected a word that the object can follow"),
    (re.compile(r"\b(\w+) \1\b", re.IGNORECASE), "repeats a word"),
    (re.compile(r"\{\}(?! |'s |$|,)"), "lets a letter or mark follow the subject"),
    (re.compile(r"(?<![ (\"])(?<!^)\{\}"), "lets a letter or mark touch the subject"),
    (
        re.compile(r"\{\}'s (?:the|an?|is|was|are|of|in)\b", re.IGNORECASE),
        "has an 's that owns nothing",
    ),
    (re.compile(r"'s's|s's\b|\b(?:his|her)\("), "has a broken possessive"),
)


def _grammar_fault(template: str) -> str | None:
    return next((fault for pattern, fault in _GRAMMAR if pattern.search(template)), None)


def _words(label: str) -> str:
    """The label without remarks in brackets and doubled blanks."""
    return " ".join(re.sub(r"\([^)]*\)", " ", label).split())


def _is_noun(words: str) -> bool:
    first, last = words.split(" ")[0].casefold(), words.split(" ")[-1].casefold()
    return (
        _PLAIN.fullmatch(words) is not None and last not in _PREPOSITIONS and first not in _VERBS
    ) and first not in {"the", "a", "an", *_PREPOSITIONS}


def _is_verb(word: str) -> bool:
    # Before a preposition, as in "shares border with"; "has use" needs none.
    return word in _VERBS or (word.endswith("s") and word[-2:] not in ("ss", "us", "is", "cs"))


def _fill(words: str) -> list[str]:
    if _is_noun(words):
        patterns = _NOUN
    else:
        patterns = _VERB if _is_verb(words.split(" ")[0].casefold()) else _PHRASE
    return [pattern.replace("{label}", words) for pattern in patterns]
