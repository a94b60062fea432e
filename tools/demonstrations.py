"""Write `data/demonstrations.jsonl`: facts told for IKE, from the cases that settings are tuned on.

No reported table edits their subjects.
"""

import json
from pathlib import Path

from pitfalls.cases.case import Case
from pitfalls.cases.collections import load_cases

FILE = Path(__file__).parents[1] / "src" / "pitfalls" / "data" / "demonstrations.jsonl"
SOURCE = "tuning:conflict/coverage"


def row(case: Case, other: Case) -> dict[str, str]:
    """The first edit of a case, and a fact of another that it leaves alone."""
    edit, fact = case.edits[0], other.edits[0].before
    wordings = edit.relation.paraphrases or (edit.relation.prompt,)
    return {
        "prompt": edit.relation.prompt.format(edit.subject.label),
        "target": edit.new_object.label,
        "paraphrase": wordings[0].format(edit.subject.label),
        "neighbour": fact.relation.prompt.format(fact.subject.label),
        "neighbour_answer": fact.object.label,
    }


def neighbour(cases: list[Case], i: int) -> Case:
    """A case of the same relation as the one at `i`, the next in turn; any other if it is alone."""
    others = cases[i + 1 :] + cases[:i]
    relation = cases[i].edits[0].relation
    return next((each for each in others if each.edits[0].relation == relation), others[0])


def main() -> None:
    """Write the file."""
    cases = load_cases(SOURCE)
    rows = [row(case, neighbour(cases, i)) for i, case in enumerate(cases)]
    lines = (json.dumps(each, ensure_ascii=False) + "\n" for each in rows)
    FILE.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
