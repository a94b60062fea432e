"""Footnotes: what a reader must know beside the numbers of a table."""

from collections.abc import Iterator, Mapping, Sequence

from pitfalls.metrics.power import visible_difference
from pitfalls.metrics.scores import Score
from pitfalls.metrics.table import METRICS
from pitfalls.metrics.undo import UNDO
from pitfalls.report.layout import (
    ColumnGroup,
    collection_of,
    kind_titles,
    paper_sections,
    section_title,
)
from pitfalls.vocabulary import CaseKind, Preset

SLIP = "†"
"""Marks a printed number that cannot be right."""

_PRESETS: Mapping[Preset, str] = {
    "authors": "Preset authors: the arithmetic of the published code.",
    "clean": (
        "Preset clean: what the paper means. The paper's own rows are in the authors' arithmetic, "
        "so its D, TFD and single Succ are other quantities."
    ),
}


_UNDO = (
    f"{UNDO}: an edit that took and was then taken off again exactly, which leaves the unedited "
    "model; nothing was run for it. Its Succ is what a perfect restoration gets: the model itself "
    "does not always prefer o1 to o*."
)

_FATES: Mapping[Preset, str] = {
    "authors": "the published code keeps such a case in the mean",
    "clean": "left out",
}


def footnotes(groups: Sequence[ColumnGroup], scores: Sequence[Score]) -> Iterator[str]:
    """One sentence or two each: units, presets, slips of the paper, undo, guards, failures."""
    yield (
        "Values × 100; in brackets the 95 % interval (bootstrap over cases, drawn by subject; "
        "where all cases agree, what their number still leaves open)."
    )
    yield from _power(scores)
    for preset in dict.fromkeys(score.preset for score in scores):
        yield _PRESETS[preset]
    rows = (row for section in paper_sections(groups, scores) for row in section.rows.values())
    if any(cell.doubtful for row in rows for cell in row.values()):
        yield f"{SLIP} As printed, though no share of 2,500 cases gives this value."
    shown = {column for group in groups for column in group.columns}
    listed = [score for score in scores if (score.kind, score.metric) in shown]
    titles = kind_titles(groups)
    if any(score.reference for score in listed):
        yield _UNDO
    yield from _guarded(listed, titles)
    yield from _failed(listed, titles)


def _power(scores: Sequence[Score]) -> Iterator[str]:
    """Differences that the smallest and the largest group of cases can show."""
    if sizes := sorted({score.subjects for score in scores if score.subjects}):
        points = [f"{100 * visible_difference(n):.0f}" for n in (sizes[-1], sizes[0])]
        cases = f"{sizes[0]:,}" + (f" to {sizes[-1]:,}" if len(sizes) > 1 else "")
        least = points[0] + (f"-{points[1]}" if points[1] != points[0] else "")
        yield (
            f"With {cases} independent cases, a share near one half is known to ± {least} "
            "points: smaller differences cannot be read off this table."
        )


def _guarded(scores: Sequence[Score], titles: Mapping[CaseKind, str]) -> Iterator[str]:
    """A line for every reason; it names the columns and how many cases of each it concerns."""
    names = _row_names(scores)
    places: dict[tuple[str, str, Preset], list[str]] = {}
    for score, name in zip(scores, names, strict=True):
        for reason, count in score.guard_reasons.items():
            place = f"{titles[score.kind]} {METRICS[score.metric].title} ({count:,})"
            places.setdefault((name, reason, score.preset), []).append(place)
    for (name, reason, preset), where in places.items():
        yield f"{name}: {reason} in {', '.join(where)}; {_FATES[preset]}."


def _failed(scores: Sequence[Score], titles: Mapping[CaseKind, str]) -> Iterator[str]:
    """One line a row: a case fails for all metrics of its data set, so it is told once."""
    places: dict[str, dict[str, None]] = {}
    reasons: dict[str, dict[str, None]] = {}
    for score, name in zip(scores, _row_names(scores), strict=True):
        if score.failed:
            places.setdefault(name, {})[f"{titles[score.kind]} ({score.failed:,})"] = None
            reasons.setdefault(name, {}).update(dict.fromkeys(score.failure_reasons))
    for name, where in places.items():
        first, *more = reasons[name]
        why = f"{first}; and {len(more):,} other reasons" if more else first
        yield f"{name}: failed and left out in {', '.join(where)} ({why})."


def _row_names(scores: Sequence[Score]) -> list[str]:
    """The row that each score is in: the editor, after its section where there are several."""
    sections = {(s.model, collection_of(s.data), s.run): section_title(s, scores) for s in scores}
    if len(sections) == 1:
        return [score.editor for score in scores]
    keys = ((s.model, collection_of(s.data), s.run) for s in scores)
    return [f"{sections[key]}, {s.editor}" for key, s in zip(keys, scores, strict=True)]
