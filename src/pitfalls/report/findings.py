"""Findings in words: rules that turn scores and their intervals into plain sentences."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pitfalls.metrics.power import visible_difference
from pitfalls.metrics.scores import Score
from pitfalls.report.grid import interval
from pitfalls.report.layout import Cell, collection_of, section_title
from pitfalls.report.measures import Measure, kind_word

Level: TypeAlias = Literal["all", "most", "half", "few", "none", "open"]
"""How large a share is, as far as its interval lets one say; `open`: it does not."""

NEARLY = 0.1
"""A share within this of 0 or 1, with its whole interval, is hardly any or nearly all."""
ENOUGH = 100
"""Cases that a reader who has too few is told about."""
NARROW = 0.3
"""An interval around one half that is at most this wide says about half; a wider one, nothing."""

_SHARES: Mapping[Level, str] = {
    "all": "nearly all",
    "most": "most",
    "half": "about half",
    "few": "less than half",
    "none": "hardly any",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words of a sentence."""

    text: str
    score: Score | None = None
    """The score that they are about."""
    verdict: bool = False
    """Whether they are what the sentence is read for."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The answers of one editor to the measures, in the measures' order."""

    editor: str
    answers: tuple[tuple[Piece, ...], ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """The answers for one run, model and collection of cases."""

    title: str
    rows: tuple[Finding, ...]


def level(low: float, high: float) -> Level:
    """How large the share is.

    Args:
        low: lower end of its 95 % interval, a fraction.
        high: upper end.
    """
    if low >= 1 - NEARLY:
        return "all"
    if high <= NEARLY:
        return "none"
    if low > 0.5:
        return "most"
    if high < 0.5:
        return "few"
    return "half" if high - low <= NARROW else "open"


def findings(scores: Sequence[Score], asked: Sequence[Measure]) -> list[Findings]:
    """The answers, one group for each run, model and collection of cases.

    Args:
        scores: of any number of runs, in the order in which they are told.
        asked: the questions.
    """
    groups: dict[tuple[str, str, str], list[Score]] = {}
    for one in scores:
        groups.setdefault((one.run, one.model, collection_of(one.data)), []).append(one)
    return [
        Findings(section_title(group[0], scores), tuple(_finding(group, asked)))
        for group in groups.values()
    ]


def needed(scores: Sequence[Score], asked: Sequence[Measure]) -> str:
    """Number of cases that would do, if there are too few for some answer; else nothing.

    Args:
        scores: those that the answers are about.
        asked: the questions.
    """
    sizes = [
        one.subjects
        for one in scores
        if any(measure.reads(one) for measure in asked)
        and math.isfinite(one.value)
        and level(one.low, one.high) == "open"
    ]
    if not sizes:
        return ""
    now, then = (100 * visible_difference(n) for n in (min(sizes), ENOUGH))
    return (
        f"With {min(sizes):,} independent cases, a share near one half is known to ± {now:.0f} "
        f"points; with {ENOUGH} it would be ± {then:.0f}."
    )


def answer(measure: Measure, scores: Sequence[Score]) -> tuple[Piece, ...]:
    """One editor's answer, a sentence for what is known and one for what is not.

    Args:
        measure: the question.
        scores: of one editor on one collection of cases.
    """
    levels: dict[Level, list[Score]] = {}
    empty: list[Score] = []
    for one in scores:
        if measure.reads(one):
            known = math.isfinite(one.value)
            (levels.setdefault(level(one.low, one.high), []) if known else empty).append(one)
    unknown = levels.pop("open", [])
    sentences = [
        list(_known(measure, levels)) if levels else [],
        list(_open(measure, unknown)) if unknown else [],
        [Piece("No number", verdict=True), Piece(" for "), *_kinds(empty)] if empty else [],
    ]
    told = [[*sentence, Piece(".")] for sentence in sentences if sentence]
    if not told:
        return (Piece("Not measured."),)
    rest = (piece for sentence in told[1:] for piece in (Piece(" "), *sentence))
    return (*told[0], *rest)


def _finding(group: Sequence[Score], asked: Sequence[Measure]) -> Iterator[Finding]:
    for editor in dict.fromkeys(one.editor for one in group):
        own = [one for one in group if one.editor == editor]
        yield Finding(editor, tuple(answer(measure, own) for measure in asked))


def _known(measure: Measure, levels: Mapping[Level, Sequence[Score]]) -> Iterator[Piece]:
    for i, (size, scores) in enumerate(levels.items()):
        yield Piece(f"{measure.claim if i == 0 else ','} ")
        yield Piece(_SHARES[size], verdict=True)
        yield Piece(f" of the {measure.counted}")
        yield from _kinds(scores)


def _open(measure: Measure, scores: Sequence[Score]) -> Iterator[Piece]:
    yield Piece("Too few cases to tell", verdict=True)
    yield Piece(f" {measure.question}: ")
    yield from _kinds(scores)


def _kinds(scores: Sequence[Score]) -> Iterator[Piece]:
    """`easy cases (62 % [51, 72]) and hard cases (70 % [58, 80])`, each about its score."""
    for i, one in enumerate(scores):
        if i:
            yield Piece(" and " if i == len(scores) - 1 else ", ")
        yield Piece(f"{kind_word(one.kind)} cases", one)
        if math.isfinite(one.value):
            ends = interval(Cell(one.value, one.low, one.high)).replace(" ", "\u00a0")
            yield Piece(f" ({100 * one.value:.0f}\u00a0% {ends})")
