"""Prompts for a relation: templates around a noun or a clause, and drafts from a label.

A draft starts with the prompt for the shape of the label (`label_shapes.py`). Nouns among the
aliases give the first paraphrases, in the same form. Drafts are correct but stiff, or unsure: for
cases that matter, write better prompts.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pitfalls.errors import PitfallsError
from pitfalls.facts import Relation, template_fault
from pitfalls.graph.label_shapes import shape_of

PARAPHRASES = 10
"""As many as the paper's relations have."""
_MOST_ALIASES = 4

_NOUN = (
    "{}'s {noun} is",
    "For {}, the {noun} is",
    "The name given for the {noun} of {} is",
    "It is known that the {noun} of {} is",
    "Reference works say that the {noun} of {} is",
    "When people speak of {}, the {noun} they name is",
    "Asked for the {noun} of {}, one should answer",
    "An entry on {} would state that the {noun} is",
    "Whoever looks up the {noun} of {} will find",
    "In the case of {}, the {noun} is",
)
_CLAUSE = (
    "It is known that {clause}",
    "Reference works say that {clause}",
    "In fact, {clause}",
    "As everyone agrees, {clause}",
    "It is recorded that {clause}",
    "It is safe to say that {clause}",
    "One can read that {clause}",
    "As far as anyone knows, {clause}",
    "Nobody doubts that {clause}",
    "An encyclopaedia would state that {clause}",
)


@dataclass(frozen=True, slots=True)
class Draft:
    """A relation whose prompts were made from its label."""

    relation: Relation
    sure: bool
    """Whether the prompts are known to be grammatical."""


def draft_relation(id: str, label: str, aliases: Sequence[str] = (), remark: str = "") -> Draft:
    """Draft a relation with a rewrite prompt, ten paraphrases and a question.

    Args:
        id: id of the relation.
        label: its label; a remark in brackets is dropped.
        aliases: its aliases.
        remark: appended to the label in brackets, to distinguish relations with equal labels; a
            draft with a remark is never sure.

    Raises:
        PitfallsError: the label gives no valid prompts; the message says why.
    """
    words = plain_words(label)
    shaped = shape_of(f"{words} ({remark})" if remark else words)
    nouns = [each.noun for each in map(shape_of, map(plain_words, aliases)) if each.sure]
    others = {each.casefold(): each for each in reversed(nouns) if each}
    others.pop(shaped.noun.casefold(), None)
    first = [f"The {alias} of {{}} is" for alias in reversed(others.values()) if shaped.noun]
    rest = noun_templates(shaped.noun) if shaped.noun else clause_templates(shaped.prompt)
    query = f"What is the {shaped.noun} of {{}}?" if shaped.noun else f"{shaped.prompt} what?"
    templates = (shaped.prompt, *first[:_MOST_ALIASES], *rest)
    return Draft(relation_of(id, label, templates, query), shaped.sure)


def relation_of(id: str, label: str, templates: Sequence[str], query: str) -> Relation:
    """Relation whose prompts are the first distinct templates.

    Raises:
        PitfallsError: a template is invalid, or there are too few.
    """
    prompt, *rest = dict.fromkeys(templates)
    paraphrases = tuple(rest[:PARAPHRASES])
    if fault := next(wording_faults((prompt, *paraphrases)), None):
        raise PitfallsError(f"relation {id} ({label}): {fault}; write its prompts yourself")
    return Relation(id, label, prompt, paraphrases, query)


def noun_templates(noun: str) -> list[str]:
    """Ten prompts for the object as the `noun` of the subject."""
    return [pattern.replace("{noun}", noun) for pattern in _NOUN]


def clause_templates(prompt: str) -> list[str]:
    """Ten prompts around another prompt, which must be a clause without its object."""
    clause = prompt if prompt.startswith("{}") else prompt[:1].lower() + prompt[1:]
    return [pattern.replace("{clause}", clause) for pattern in _CLAUSE]


def plain_words(label: str) -> str:
    """Label as words: without bracketed remarks, and with `wasBornIn` or `born_in` split."""
    bare = re.sub(r"\([^)]*\)", " ", label)
    apart = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", bare) if " " not in bare.strip() else bare
    lowered = apart if apart == bare else apart.lower()
    return " ".join(lowered.replace("_", " ").split())


def wording_faults(templates: Sequence[str]) -> Iterator[str]:
    """Faults of a relation's prompts: the rewrite prompt and ten paraphrases."""
    if len(templates) != 1 + PARAPHRASES:
        yield f"has {len(templates)} prompts, expected 1 and {PARAPHRASES} paraphrases"
    seen: set[str] = set()
    for template in templates:
        if template.casefold() in seen:
            yield f"prompt {template!r} is listed twice"
        seen.add(template.casefold())
        if fault := template_fault(template) or _grammar_fault(template):
            yield f"prompt {template!r} {fault}"


_GRAMMAR = (
    (re.compile(r"^\s|\s\s|\s$"), "has an extra space"),
    (re.compile(r"[^\w}\")]$"), "ends in punctuation, expected a word before the object"),
    (re.compile(r"\b(\w+) \1\b", re.IGNORECASE), "repeats a word"),
    (re.compile(r"\{\}(?! |'s |$|,)"), "lacks a space after the subject"),
    (re.compile(r"(?<![ (\"])(?<!^)\{\}"), "lacks a space before the subject"),
    (
        re.compile(r"\{\}'s (?:the|an?|is|was|are|of|in)\b", re.IGNORECASE),
        "has a possessive 's without a noun",
    ),
    (re.compile(r"'s's|s's\b|\b(?:his|her)\("), "has a broken possessive"),
)


def _grammar_fault(template: str) -> str | None:
    return next((fault for pattern, fault in _GRAMMAR if pattern.search(template)), None)
