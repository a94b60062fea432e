"""Texts of a data set on the Hugging Face hub, read with the optional package `datasets`."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeAlias

from pitfalls.door.text import reason_of
from pitfalls.errors import PitfallsError

Rows: TypeAlias = Callable[[str, str | None, str], Iterable[Mapping[str, Any]]]
"""Function from name, configuration and split of a data set to its rows, in order."""

LEADING_ROWS = 100_000
"""Rows read of a data set, as in the published statistics of ROME and MEMIT."""


def rows_of_hub(name: str, config: str | None, split: str) -> Iterable[Mapping[str, Any]]:
    """Stream the rows of a data set, so that only those that are read are fetched.

    Raises:
        PitfallsError: the package `datasets` is not installed.
    """
    try:
        from datasets import load_dataset  # an optional extra
    except ImportError as error:
        raise PitfallsError(
            f"hf:{name} needs the package datasets, which is not installed; "
            "run 'pip install pitfalls[datasets]'"
        ) from error
    return load_dataset(name, config, split=split, streaming=True)


def leading_texts(name: str, rows: Rows) -> Iterator[str]:
    """Texts of the first rows of `hf:NAME[:CONFIG[:SPLIT]]`; the default split is `train`.

    Raises:
        PitfallsError: the name has another form, the data set cannot be fetched, or its rows have
            no text.
    """
    parts = name.removeprefix("hf:").split(":")
    if not parts[0] or len(parts) > 3:
        raise PitfallsError(f"data set {name!r} was named, expected hf:NAME[:CONFIG[:SPLIT]]")
    data, config, split = [*parts, "", ""][:3]
    try:
        for row in islice(rows(data, config or None, split or "train"), LEADING_ROWS):
            yield _text(name, row)
    except PitfallsError:
        raise
    except Exception as error:
        # Unknown name, missing configuration, no network: each raises a type of its own.
        reason = reason_of(error)
        raise PitfallsError(
            f"cannot read {name} ({reason}): expected a data set of the hub and a network; "
            "without one, name a text file or a packaged corpus"
        ) from error


def _text(name: str, row: Mapping[str, Any]) -> str:
    if not isinstance(row.get("text"), str):
        raise PitfallsError(
            f"rows of {name} have the columns {', '.join(row)}, expected one named text; "
            "write the texts to a .jsonl file and name that"
        )
    return row["text"]
