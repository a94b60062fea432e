"""The paper's two table layouts, filled: what goes where, before anybody draws it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pitfalls.metrics.scores import Score
from pitfalls.metrics.table import METRICS
from pitfalls.report.paper import PaperModel, paper_editors, paper_models
from pitfalls.vocabulary import DATASETS, KIND_WORDS, CaseKind

Column: TypeAlias = tuple[CaseKind, str]
"""A kind of case and the name of a metric."""


@dataclass(frozen=True, slots=True)
class ColumnGroup:
    """Columns under one heading, all of one kind of case."""

    title: str
    kind: CaseKind
    metrics: tuple[str, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the group."""
        return tuple((self.kind, metric) for metric in self.metrics)


@dataclass(frozen=True, slots=True)
class Layout:
    """One of the paper's tables."""

    title: str
    groups: tuple[ColumnGroup, ...]


CONFLICT = Layout(
    "Knowledge conflict",
    (
        ColumnGroup("Coverage", "coverage", ("succ_single", "cs", "cm")),
        ColumnGroup("Reverse", "reverse", ("cs", "cs_exp", "cs_imp", "cs_exp_gain", "cm")),
        ColumnGroup(
            "Composite", "composite", ("cs", "cs_exp", "cs_imp", "cs_exp_gain", "cm", "tfd")
        ),
    ),
)
_ROUND = ("succ_round", "d", "ir", "fr", "shift")
_WAYS = ("succ_out", "succ_back", "restored")
"""Apart, so that either group fits a narrow terminal; no column of the paper is among them."""
DISTORTION = Layout(
    "Knowledge distortion",
    (
        ColumnGroup("Easy", "round-easy", _ROUND),
        ColumnGroup("Easy, way by way", "round-easy", _WAYS),
        ColumnGroup("Hard", "round-hard", _ROUND),
        ColumnGroup("Hard, way by way", "round-hard", _WAYS),
    ),
)
LAYOUTS = (CONFLICT, DISTORTION)


def layouts(scores: Sequence[Score]) -> tuple[Layout, ...]:
    """The paper's tables, and one more for the kinds of case that the paper has not."""
    known = {group.kind for layout in LAYOUTS for group in layout.groups}
    others = {one.kind for one in scores} - known
    groups = tuple(
        ColumnGroup(
            KIND_WORDS[kind].word.capitalize(),
            kind,
            tuple(name for name, metric in METRICS.items() if kind in metric.kinds),
        )
        for kind in KIND_WORDS
        if kind in others
    )
    return (*LAYOUTS, Layout("Other kinds of case", groups)) if groups else LAYOUTS


@dataclass(frozen=True, slots=True)
class Cell:
    """One number, as a fraction; the interval is NaN where there is none."""

    value: float
    low: float = float("nan")
    high: float = float("nan")
    doubtful: bool = False
    """Printed in the paper, but impossible."""


@dataclass(frozen=True, slots=True)
class Section:
    """The rows of one model on one collection of cases."""

    title: str
    note: str
    rows: dict[str, dict[Column, Cell]]
    """Editor → its cells."""
    comparable: bool = True
    """False for numbers of the paper that were made with another model or other cases."""


def used_groups(layout: Layout, scores: Sequence[Score]) -> tuple[ColumnGroup, ...]:
    """The layout without the columns that no score fills.

    Result files tell CS apart into explicit and implicit or not; where they do, the CS of the
    undivided column says nothing more.
    """
    filled = {(score.kind, score.metric) for score in scores}
    divided = {kind for kind, metric in filled if metric in ("cs_exp", "cs_imp")}
    filled -= {(kind, "cs") for kind in divided}
    groups = (
        ColumnGroup(
            group.title, group.kind, tuple(m for m in group.metrics if (group.kind, m) in filled)
        )
        for group in layout.groups
    )
    return tuple(group for group in groups if group.metrics)


def kind_titles(groups: Sequence[ColumnGroup]) -> dict[CaseKind, str]:
    """Kind of case → its name in a sentence: its group's title up to the comma."""
    return {group.kind: group.title.partition(",")[0].lower() for group in groups}


def run_sections(groups: Sequence[ColumnGroup], scores: Sequence[Score]) -> list[Section]:
    """A section for every run, model and collection that has scores in these columns."""
    columns = {column for group in groups for column in group.columns}
    sections: dict[tuple[str, str, str], list[Score]] = {}
    for score in scores:
        if (score.kind, score.metric) in columns:
            key = (score.model, collection_of(score.data), score.run)
            sections.setdefault(key, []).append(score)
    return [
        Section(section_title(own[0], scores), _cases(groups, own), _rows(own))
        for own in sections.values()
    ]


def section_title(score: Score, scores: Iterable[Score]) -> str:
    """Model and collection; the run too, where two runs share both."""
    collection = collection_of(score.data)
    alike = {s.run for s in scores if (s.model, collection_of(s.data)) == (score.model, collection)}
    return " · ".join(filter(None, (score.model, collection, score.run if len(alike) > 1 else "")))


def paper_sections(groups: Sequence[ColumnGroup], scores: Sequence[Score]) -> list[Section]:
    """The paper's rows for the same editors, in the same columns."""
    columns = {column for group in groups for column in group.columns}
    names = paper_editors()
    editors = {names.get(score.editor, score.editor) for score in scores}
    runs = {(score.model, collection_of(score.data)) for score in scores}
    sections = [
        _paper_section(model, columns, editors, comparable=any(model.is_of(*run) for run in runs))
        for model in paper_models()
    ]
    return [section for section in sections if section.rows]


def in_order(scores: Iterable[Score]) -> list[Score]:
    """Run by run, data sets and editors in the paper's order, references last."""
    listed = list(scores)
    runs = list(dict.fromkeys((one.run, one.model) for one in listed))
    kinds = list(KIND_WORDS)
    editors = [*paper_editors(), *sorted({one.editor for one in listed})]
    return sorted(
        listed,
        key=lambda one: (
            runs.index((one.run, one.model)),
            kinds.index(one.kind),
            one.data,
            one.reference,
            editors.index(one.editor),
        ),
    )


def collection_of(data: str) -> str:
    """`starter` of `starter:conflict/coverage`; nothing of a bare data set; a path is its own."""
    if data in DATASETS:
        return ""
    collection, _, name = data.rpartition(":")
    return collection if name in DATASETS else data


def _rows(scores: Sequence[Score]) -> dict[str, dict[Column, Cell]]:
    """Editors in the paper's order, other editors after them, references last."""
    rows: dict[str, dict[Column, Cell]] = {}
    for score in scores:
        cell = Cell(score.value, score.low, score.high)
        rows.setdefault(score.editor, {})[score.kind, score.metric] = cell
    references = {score.editor for score in scores if score.reference}
    order = [*paper_editors(), *rows]
    return dict(sorted(rows.items(), key=lambda row: (row[0] in references, order.index(row[0]))))


def _cases(groups: Sequence[ColumnGroup], scores: Sequence[Score]) -> str:
    """How many cases stand behind the numbers: `n = 40 coverage, 38 to 40 reverse`."""
    return "n = " + ", ".join(
        f"{_span([s.n for s in scores if s.kind == kind])} {title}"
        for kind, title in kind_titles(groups).items()
        if any(s.kind == kind for s in scores)
    )


def _span(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _paper_section(
    model: PaperModel, columns: set[Column], editors: set[str], *, comparable: bool
) -> Section:
    rows: dict[str, dict[Column, Cell]] = {}
    for number in model.numbers:
        column = (number.kind, number.metric)
        if number.editor in editors and column in columns:
            cell = Cell(number.value, doubtful=number.impossible)
            rows.setdefault(number.editor, {})[column] = cell
    note = "same model and data, all its cases" if comparable else "other model and data"
    return Section(f"paper, {model.title}", note, rows, comparable)
