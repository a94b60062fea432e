"""Cases → the files of the paper's authors, for their own scripts."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pitfalls.cases.case import Case
from pitfalls.cases.json_form import relations_of
from pitfalls.cases.released import FILES, prompts_file, read_prompts
from pitfalls.disk import make_folder, write_bytes
from pitfalls.errors import PitfallsError
from pitfalls.facts import Edit, Entity, Fact, Relation
from pitfalls.vocabulary import ROUND_KINDS


def write_authors(folder: Path, cases: Sequence[Case]) -> Path:
    """Write cases of one kind as `coverage_edit.json` and so on, their paraphrases beside it.

    The prompts of relations that the folder's file of prompts has already are kept there, so that
    several kinds may be written one after the other.

    Returns:
        The file with the cases.

    Raises:
        PitfallsError: no cases, several kinds, or a relation that is worded otherwise there.
    """
    if len(kinds := sorted({case.kind for case in cases})) != 1:
        raise PitfallsError(f"{folder}: a file holds cases of one kind, got {kinds or 'no cases'}")
    kind = kinds[0]
    make_folder(folder)
    prompts = folder / prompts_file(kind)
    known = dict(read_prompts(prompts)) if prompts.is_file() else {}
    for id, relation in sorted(relations_of(cases).items()):
        if known.setdefault(id, relation.paraphrases) != relation.paraphrases:
            raise PitfallsError(f"{prompts}: words relation {id} otherwise; take another folder")
    _write(prompts, {id: list(known[id]) for id in sorted(known)})
    record = _round if kind in ROUND_KINDS else _conflict
    _write(folder / FILES[kind], [record(case) for case in cases])
    return folder / FILES[kind]


def _write(path: Path, data: Any) -> None:
    write_bytes(path, (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode("utf-8"))


def _conflict(case: Case) -> dict[str, Any]:
    record: dict[str, Any] = {
        "triples": [_fact(fact) for fact in case.triples],
        "prerequisites": [] if case.tied is None else [0],
        "type": case.kind,
        "edits": [_edit(case.first), _edit(case.second)],
    }
    return record if case.rule is None else {"rule": case.rule, **record}


def _round(case: Case) -> dict[str, Any]:
    relation = case.first.relation
    return {
        "type": f"1-{len(case.true_objects)}@{relation.id}",
        "edit": _edit(case.first),
        "true_objects": [_entity(each) for each in case.true_objects],
    }


def _edit(edit: Edit) -> dict[str, Any]:
    return _fact(edit.before) | {"new_object": _entity(edit.new_object)}


def _fact(fact: Fact) -> dict[str, Any]:
    return {
        "relation": _relation(fact.relation),
        "subject": _entity(fact.subject),
        "object": _entity(fact.object),
    }


def _relation(relation: Relation) -> dict[str, str]:
    return {
        "id": relation.id,
        "prompt": relation.prompt,
        "query": relation.query,
        "label": relation.label,
    }


def _entity(entity: Entity) -> dict[str, str]:
    return {"id": entity.id, "label": entity.label}
