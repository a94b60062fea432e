"""Wikipedia passages from BoolQ questions in the format of evaluation suites."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path


def boolq_passages(file: Path) -> list[str]:
    """Distinct passages of all questions, in the order of the file.

    A question is stored as `Title -- passage`, a line break and `Question: …`; several questions
    share a passage. The title is dropped, and TeX quotation marks become plain ones.
    """
    return list(dict.fromkeys(_passages(file)))


def _passages(file: Path) -> Iterator[str]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            query = json.loads(line)["doc"]["query"]
            passage = query.split("\nQuestion: ")[0].partition(" -- ")[2]
            yield passage.replace("``", '"').replace("''", '"').strip()
