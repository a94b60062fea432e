"""Wikipedia passages out of BoolQ questions as evaluation suites store them."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path


def boolq_passages(file: Path) -> list[str]:
    """The passages of all questions, each once, in the order of the file.

    A question comes as `Title -- passage`, a line break and `Question: …`; the same passage serves
    several of them. Only the passage is prose: the title is dropped, TeX's quotation marks become
    plain ones.
    """
    return list(dict.fromkeys(_passages(file)))


def _passages(file: Path) -> Iterator[str]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            query = json.loads(line)["doc"]["query"]
            passage = query.split("\nQuestion: ")[0].partition(" -- ")[2]
            yield passage.replace("``", '"').replace("''", '"').strip()
