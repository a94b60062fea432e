"""Cases in the files of the paper's authors, read exactly as they published them.

Conflict files hold two edits a record, round files one: there `edit.object` is o1, the true object
to return to, and `edit.new_object` is o*, the way station. Paraphrases are not in the records but
per relation in a file beside them. Records count from 0, like the position in a case's id.
"""

from pitfalls.cases.case import Case
from pitfalls.cases.consistency import first_problem
from pitfalls.cases.kinds.table import KINDS, released_of
from pitfalls.cases.released_shapes import PromptsShape
from pitfalls.cases.wordings import Place, Prompts, Wordings
from pitfalls.door.text import Source
from pitfalls.door.values import read_json
from pitfalls.errors import PitfallsError
from pitfalls.shapes import check
from pitfalls.vocabulary import CaseKind


def released_files() -> dict[CaseKind, str]:
    """Kind of case → the authors' file name, for the kinds that they published."""
    return {kind: row.released.file for kind, row in KINDS.items() if row.released is not None}


def prompts_file(kind: CaseKind) -> str:
    """Name of the file that holds the paraphrases for this kind of case.

    Raises:
        PitfallsError: the authors published no such cases.
    """
    return released_of(kind).prompts


def read_released(source: Source, kind: CaseKind, *, prompts: Source) -> list[Case]:
    """All cases of one of the authors' files, in its order.

    Args:
        source: `coverage_edit.json`, `easy.json`, …
        kind: what it holds; EASY and HARD files look alike, so the file cannot tell.
        prompts: `conflict_prompts.json` or `round_prompts.json` as `prompts_file` says.

    Raises:
        PitfallsError: one line that names the file, the record and the field that is wrong, or a
            kind that the authors did not publish.
    """
    records = read_json(source)
    if not isinstance(records, list):
        raise PitfallsError(
            f"{source}: is a JSON {type(records).__name__}, expected a list of cases"
        )
    wordings, released = Wordings(read_prompts(prompts), prompts), released_of(kind)
    cases = []
    for position, record in enumerate(records):
        place = Place(f"{kind}-{position:05d}", kind, f"{source}: record {position}")
        case = released.read(record, place, wordings)
        if problem := first_problem(case):
            raise PitfallsError(f"{place.where}: {released.field(problem[0])}: {problem[1]}")
        cases.append(case)
    return cases


def read_prompts(source: Source) -> Prompts:
    """The paraphrases by relation id.

    Raises:
        PitfallsError: one line that names the file, the relation and what is wrong.
    """
    data = check(PromptsShape, read_json(source), where=str(source))
    return {relation: tuple(templates) for relation, templates in data.root.items()}
