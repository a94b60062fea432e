"""One record of the authors' result files → p(k) by state and probe.

They store a probability per prompt: `rewrite`, and one per paraphrase as `generation`.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from pitfalls.errors import PitfallsError
from pitfalls.vocabulary import CaseKind, StateName

Probabilities: TypeAlias = dict[tuple[StateName, str], float]
_Places: TypeAlias = Mapping[tuple[StateName, str], str]

_CONFLICT: _Places = {
    ("theta_prime", "new"): "CS_post",
    ("theta_prime", "old_beside_new"): "CS_pre",
    ("theta_prime", "old"): "CM_post",
    ("theta_m", "old"): "CM_pre",
}
"""(state, probe) → the key that holds it in every conflict record."""
_BY_KIND: Mapping[CaseKind, _Places] = {
    "coverage": {("theta2", "old"): "S_pre", ("theta2", "new"): "S_post"},
    "reverse": {},
    "composite": {("theta0", "tied"): "fact_0", ("theta_prime", "tied"): "fact_2"},
}


def conflict_probabilities(record: Any, kind: CaseKind, *, where: str) -> Probabilities:
    """Probabilities of a coverage, reverse or composite record.

    Raises:
        PitfallsError: the record lacks a key; the line starts with `where`.
    """
    places = {**_CONFLICT, **_BY_KIND[kind]}
    found = {name: _p(record, key, where=where) for name, key in places.items()}
    if kind != "coverage" and (wording := _wording(record)):
        found["theta_prime", wording] = found["theta_prime", "new"]
    return found


def round_probabilities(record: Any, baseline: Any, *, multi: bool, where: str) -> Probabilities:
    """Probabilities of a round trip and of the unedited model.

    The way back has the keys of o1 and o* swapped.

    Raises:
        PitfallsError: a record lacks a key, or the two are not of the same case.
    """
    theta0 = _baseline_key(baseline, multi=multi, where=where)
    if _part(record, "edit") != _part(baseline, "edit"):
        raise PitfallsError(f"{where}: the unedited model's record at this place is another case")
    found: Probabilities = {
        ("theta_m", "original"): _p(record, "edit1", "target_true", where=where),
        ("theta_m", "intermediate"): _p(record, "edit1", "target_new", where=where),
        ("theta_prime", "original"): _p(record, "edit2", "target_new", where=where),
        ("theta_prime", "intermediate"): _p(record, "edit2", "target_true", where=where),
        ("theta0", "original"): _p(baseline, theta0, "target_new", where=f"{where}, unedited"),
    }
    after, before = _part(record, "edit2", "others"), _part(baseline, theta0, "others")
    if not isinstance(after, list) or not isinstance(before, list) or len(after) != len(before):
        raise PitfallsError(
            f"{where}: expected edit2.others and the unedited model's {theta0}.others to be "
            "lists of one length; make both from the same cases"
        )
    for i in range(len(after)):
        other = f"other/{i}"
        found["theta_prime", other] = _p(after, i, where=f"{where}: edit2.others")
        found["theta0", other] = _p(before, i, where=f"{where}, unedited: {theta0}.others")
    return found


def subject_of(record: Any) -> str | None:
    """Id of e1's subject, where the record carries its case along."""
    for path in (("edits", 0, "subject", "id"), ("edit", "subject", "id")):
        if isinstance(subject := _part(record, *path), str):
            return subject
    return None


def _baseline_key(baseline: Any, *, multi: bool, where: str) -> str:
    """Their baseline script writes `model`, their summary reads `gptj` for the Multi-Label Edit."""
    keys = ("gptj", "model") if multi else ("model", "gptj")
    for key in keys:
        if _part(baseline, key) is not None:
            return key
    raise PitfallsError(f"{where}: the unedited model's record has neither `model` nor `gptj`")


def _wording(record: Any) -> str | None:
    """Whether CS was read in e2's own words or in e1's; None if the record does not say.

    The evaluated fact is kept as `cs_post_edit`. e1 and e2 have different relations, or at least
    different subjects, in both kinds of cases.
    """
    read = (_part(record, "cs_post_edit", "relation_id"), _part(record, "cs_post_edit", "subject"))
    first, second = (
        (_part(record, "edits", i, "relation", "id"), _part(record, "edits", i, "subject", "label"))
        for i in (0, 1)
    )
    implied = (first[0], _part(record, "edits", 1, "new_object", "label"))
    if None in (*read, *first, *second):
        return None
    if read == second:
        return "new_explicit"
    return "new_implicit" if read in (first, implied) else None


def _p(record: Any, *path: str | int, where: str) -> float:
    """Mean over the paraphrases and the rewrite prompt, in the order of their sum."""
    rewrite, paraphrases = _part(record, *path, "rewrite"), _part(record, *path, "generation")
    numbers: list[Any] = [*paraphrases, rewrite] if isinstance(paraphrases, list) else [None]
    if not all(map(_is_probability, numbers)):
        raise PitfallsError(
            f"{where}: expected {'.'.join(map(str, path))} to hold a probability `rewrite` and a "
            "list of probabilities `generation`"
        )
    return float(np.mean(numbers))


def _is_probability(number: Any) -> bool:
    """NaN is one that could not be computed, and told as that."""
    return type(number) in (int, float) and (number != number or 0 <= number <= 1)


def _part(value: Any, *path: str | int) -> Any:
    """The value at `path` inside of JSON; None if there is none."""
    for key in path:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return None
    return value
