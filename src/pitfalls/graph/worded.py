"""Prompts for the relations of a graph: written by a person, from the table, or drafted."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from pitfalls.disk import write_bytes
from pitfalls.door.paths import is_file
from pitfalls.door.text import read_text
from pitfalls.errors import PitfallsError
from pitfalls.graph.graph import Predicate, Wording
from pitfalls.graph.lines import BadLines
from pitfalls.graph.properties import properties
from pitfalls.graph.relations_file import HEADER, WORDINGS, predicates_text, read_predicates
from pitfalls.graph.starter import starter_predicates
from pitfalls.graph.wording import draft_relation, plain_words

Named: TypeAlias = Mapping[str, tuple[str, Sequence[str]]]
"""Relation → its label, empty if there is none, and its aliases."""


def wordings_for(folder: Path | None = None) -> dict[str, Predicate]:
    """Relations with prompts, by id: from the folder's file, the packaged graph or the table."""
    found = {
        each.id: Predicate(each.relation(), each.many, inverse=each.inverse, wording="table")
        for each in properties().values()
    }
    found |= {each.relation.id: each for each in starter_predicates()}
    if folder is not None and is_file(own := folder / WORDINGS):
        found |= {each.relation.id: each for each in read_predicates(own)}
    return found


def worded(named: Named, wordings: Mapping[str, Predicate], bad: BadLines) -> dict[str, Predicate]:
    """Give relations their prompts: from `wordings`, or else drafted from label and aliases.

    No two prompts are equal. Drafts from labels that differ only in a bracketed remark keep the
    remark; drafts from equal labels get the id instead. Both are unsure.

    Args:
        named: the relations.
        wordings: relations with prompts.
        bad: collects the relations left out for lack of prompts.
    """
    # Prompts are valid in any graph, but types are labels of the graph they come from.
    known = {
        id: replace(wordings[id], subject_types=(), object_types=())
        for id in named
        if id in wordings
    }
    taken = {each.relation.prompt.casefold() for each in known.values()}
    drafted = {id: told for id, told in named.items() if id not in known}
    alike = Counter(plain_words(label).casefold() for label, _ in drafted.values())
    found = dict(known)
    for id, (label, aliases) in drafted.items():
        if not label:
            bad.add(id, "a relation without label or prompts, with all its facts")
            continue
        several = alike[plain_words(label).casefold()] > 1
        drafts = _drafts(id, label, aliases, () if several else ("",))
        fresh = (each for each in drafts if each.relation.prompt.casefold() not in taken)
        if (each := next(fresh, None)) is None:
            bad.add(id, "a relation whose label makes no prompts, with all its facts")
        else:
            found[id] = each
            taken.add(each.relation.prompt.casefold())
    return {id: found[id] for id in named if id in found}


def write_wordings(folder: Path, named: Named) -> None:
    """Write the prompts of all relations into the folder's `relations.toml`.

    Existing content stays unchanged, to the byte. Missing relations are appended, each with the
    origin of its prompts, so that a person can review and improve them.

    Raises:
        PitfallsError: the file is damaged or cannot be written.
    """
    path = folder / WORDINGS
    own = read_text(path) if is_file(path) else ""
    there = {each.relation.id for each in read_predicates(path)} if own else set()
    found = worded(named, wordings_for(folder), BadLines())
    if added := [each for id, each in found.items() if id not in there]:
        text = f"{own.rstrip()}\n\n" if own else ""
        write_bytes(path, f"{text}{HEADER}{predicates_text(added)}".encode())


def wording_lines(predicates: Iterable[Predicate]) -> Iterator[str]:
    """One line on the origin of the prompts, and one naming the relations to review, if any."""
    found = list(predicates)
    counts = Counter(each.wording for each in found)
    told = ", ".join(f"{counts[each]} {_TOLD[each]}" for each in _TOLD if counts[each])
    yield f"prompts: {told or 'none'}"
    if unsure := [each.relation for each in found if each.wording == "unsure"]:
        names = ", ".join(f"{each.id} ({each.label})" for each in unsure)
        yield f"prompts that may not be English; write better ones for: {names}"


_TOLD: Mapping[Wording, str] = {
    "written": "written",
    "table": "of Wikidata's properties",
    "draft": "drafted from the label",
    "unsure": "drafted and unsure",
}


def _drafts(
    id: str, label: str, aliases: Sequence[str], first: tuple[str, ...]
) -> Iterator[Predicate]:
    """Valid drafts, best first: with a remark from `first`, the label's own remark, or the id."""
    for remark in dict.fromkeys((*first, *filter(None, (_remark(label), id)))):
        try:
            draft = draft_relation(id, label, aliases, remark)
        except PitfallsError:
            continue
        yield Predicate(draft.relation, wording="draft" if draft.sure else "unsure")


def _remark(label: str) -> str:
    """Bracketed remark of the label, in plain words."""
    _, bracket, rest = label.partition("(")
    return plain_words(rest.partition(")")[0]) if bracket else ""
