"""The paper's own numbers, and when they may be compared with a run."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from pitfalls.vocabulary import CaseKind


@dataclass(frozen=True, slots=True)
class PaperNumber:
    """One cell of the paper's Table 1 or 2."""

    editor: str
    kind: CaseKind
    metric: str
    value: float
    """A fraction."""
    impossible: bool
    """Whether no number of cases gives this value, so that it must be a slip."""


@dataclass(frozen=True, slots=True)
class PaperModel:
    """The paper's numbers of one model."""

    title: str
    names: tuple[str, ...]
    """Names that the same weights go by, in lower case."""
    data: str
    """The collection of cases that the numbers were made with."""
    numbers: tuple[PaperNumber, ...]

    def is_of(self, model: str, collection: str) -> bool:
        """Whether a run on that model and collection repeats the paper's experiment."""
        return model.lower() in self.names and collection == self.data


def paper_models() -> list[PaperModel]:
    """Both models of the paper, in its order."""
    tables = _tables()
    return [
        PaperModel(model["title"], tuple(model["names"]), model["data"], _numbers(tables, key))
        for key, model in tables["models"].items()
    ]


def paper_editors() -> dict[str, str]:
    """Editors here, in the paper's order → the name under which the paper lists them."""
    names: Mapping[str, list[str]] = _tables()["editors"]
    return {ours: name for name, group in names.items() for ours in group}


def _tables() -> dict[str, Any]:
    content = files("pitfalls.report").joinpath("paper_tables.toml").read_text(encoding="utf-8")
    return tomllib.loads(content)


def _numbers(tables: Mapping[str, Any], model: str) -> tuple[PaperNumber, ...]:
    slips = {(slip["model"], slip["editor"], slip["column"]) for slip in tables["impossible"]}
    return tuple(
        PaperNumber(
            editor=editor,
            kind=column.split()[0],
            metric=column.split()[1],
            value=percent / 100,
            impossible=(model, editor, column) in slips,
        )
        for table in (tables["conflict"], tables["distortion"])
        for editor, row in table["rows"][model].items()
        for column, percent in zip(table["columns"], row, strict=True)
    )
