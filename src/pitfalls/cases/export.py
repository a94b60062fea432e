"""Cases → the files of the paper's authors, for their own scripts."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pitfalls.cases.case import Case
from pitfalls.cases.json_form import relations_of
from pitfalls.cases.kinds.table import released_of
from pitfalls.cases.released import read_prompts
from pitfalls.disk import make_folder, write_bytes
from pitfalls.errors import PitfallsError


def write_authors(folder: Path, cases: Sequence[Case]) -> Path:
    """Write cases of one kind as `coverage_edit.json` and so on, their paraphrases beside it.

    The prompts of relations that the folder's file of prompts has already are kept there, so that
    several kinds may be written one after the other.

    Returns:
        The file with the cases.

    Raises:
        PitfallsError: no cases, several kinds, a kind that the authors did not publish, or a
            relation that is worded otherwise there.
    """
    if len(kinds := sorted({case.kind for case in cases})) != 1:
        raise PitfallsError(f"{folder}: a file holds cases of one kind, got {kinds or 'no cases'}")
    released = released_of(kinds[0])
    make_folder(folder)
    prompts = folder / released.prompts
    known = dict(read_prompts(prompts)) if prompts.is_file() else {}
    for id, relation in sorted(relations_of(cases).items()):
        if known.setdefault(id, relation.paraphrases) != relation.paraphrases:
            raise PitfallsError(f"{prompts}: words relation {id} otherwise; take another folder")
    _write(prompts, {id: list(known[id]) for id in sorted(known)})
    _write(folder / released.file, [released.write(case) for case in cases])
    return folder / released.file


def _write(path: Path, data: Any) -> None:
    write_bytes(path, (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode("utf-8"))
