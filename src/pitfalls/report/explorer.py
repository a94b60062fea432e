"""The cases for the page's explorer: told once, with what every editor made of them."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from pitfalls.metrics.breakdown import FACETS
from pitfalls.metrics.case_value import case_value
from pitfalls.metrics.metric import Guarded, Metric
from pitfalls.metrics.table import METRICS
from pitfalls.records.header import RelationInfo, RunHeader
from pitfalls.records.observation import Observation
from pitfalls.report.measures import main_metrics
from pitfalls.vocabulary import STATES, Preset

Relations = Mapping[str, RelationInfo]


def explorer(
    observations: Iterable[Observation],
    headers: Mapping[str, RunHeader],
    *,
    preset: Preset,
    most: int,
) -> dict[str, Any]:
    """What the page's script draws from, as JSON values.

    Args:
        observations: of any number of runs.
        headers: run → its header, for the words of the relations.
        preset: whose arithmetic.
        most: results that the page has room for; the first ones of every source are kept.
    """
    groups: dict[Any, list[Observation]] = {}
    for case in observations:
        groups.setdefault(case.source, []).append(case)
    share = most // max(len(groups), 1)
    kept = [case for group in groups.values() for case in group[:share]]
    cases: dict[tuple[str, str, str], dict[str, Any]] = {}
    for case in kept:
        key = (case.source.data, case.case_id, case.subject)
        relations = headers[case.source.run].relations.get(case.source.data, {})
        entry = cases.setdefault(key, _told(case, relations))
        entry["results"].append(_result(case, list(groups).index(case.source), preset))
    return {
        "states": list(STATES),
        "sources": [_source(source) for source in groups],
        "metrics": {name: _metric(metric, preset) for name, metric in METRICS.items()},
        "main": dict(main_metrics()),
        "cases": list(cases.values()),
        "left_out": sum(map(len, groups.values())) - len(kept),
    }


def _source(source: Any) -> dict[str, str]:
    return {name: getattr(source, name) for name in ("run", "model", "editor", "data", "kind")}


def _metric(metric: Metric, preset: Preset) -> dict[str, Any]:
    definition = metric.presets.get(preset)
    if definition is None:
        return {"title": metric.title}
    return {
        "title": metric.title,
        "question": metric.question,
        "best": metric.best,
        "increasing": metric.increasing,
        "worst": 0.0 if metric.increasing else _short(definition.value_range[1]),
        "formula": definition.formula,
        "needs": [list(need) for need in definition.needs],
    }


def _told(case: Observation, relations: Relations) -> dict[str, Any]:
    row = case.case
    facts = [_fact(fact, relations) for fact in row.get("triples", ())]
    subject = row.get("first", {}).get("subject", {})
    facts += [
        [subject.get("label", ""), _label(row["first"], relations), one.get("label", "")]
        for one in row.get("true_objects", ())
    ]
    return {
        "id": case.case_id,
        "data": case.source.data,
        "kind": case.source.kind,
        "subject": subject.get("label", case.subject),
        "facets": {name: facet(case) for name, facet in FACETS.items()},
        "relations": sorted({_label(row[e], relations) for e in ("first", "second") if e in row}),
        "edits": [_edit(row[e], relations) for e in ("first", "second") if e in row],
        "facts": facts,
        "targets": _targets(row),
        "results": [],
    }


def _edit(edit: Mapping[str, Any], relations: Relations) -> dict[str, str]:
    subject, old, new = (
        edit.get(n, {}).get("label", "?") for n in ("subject", "object", "new_object")
    )
    info = relations.get(edit.get("relation", ""))
    words = info.prompt.replace("{}", subject) if info else f"{subject}, {edit.get('relation')}:"
    relation = _label(edit, relations)
    return {"words": words, "subject": subject, "relation": relation, "old": old, "new": new}


def _fact(fact: Mapping[str, Any], relations: Relations) -> list[str]:
    ends = (fact.get(end, {}).get("label", "?") for end in ("subject", "object"))
    subject, target = ends
    return [subject, _label(fact, relations), target]


def _label(fact: Mapping[str, Any], relations: Relations) -> str:
    name = str(fact.get("relation", ""))
    return relations[name].label if name in relations else name


def _targets(row: Mapping[str, Any]) -> dict[str, str]:
    """Probe → the object it asks for, in words."""
    new = [row.get(e, {}).get("new_object", {}).get("label", "") for e in ("first", "second")]
    old = row.get("first", {}).get("object", {}).get("label", "")
    tied = row.get("tied", {}).get("object", {}).get("label", "")
    others = _others(row, new[1])
    conflict = {"old": new[0], "new": new[1], "new_explicit": new[1], "true": old, "tied": tied}
    if row.get("kind") == "reverse":
        conflict["new_implicit"] = new[0]  # the older object, asked of the newer subject
    elif row.get("kind") == "composite":
        conflict["new_implicit"] = new[1]
    return conflict | {"original": new[1], "intermediate": new[0]} | others


def _others(row: Mapping[str, Any], o1: str) -> dict[str, str]:
    labels = [one.get("label", "") for one in row.get("true_objects", ())]
    if o1 in labels:
        labels.remove(o1)
    return {f"other/{i}": label for i, label in enumerate(labels)}


def _result(case: Observation, source: int, preset: Preset) -> dict[str, Any]:
    probes: dict[str, list[float | None]] = {}
    for (state, probe), p in case.probabilities.items():
        if probe != "new" or not case.has(state, "new_explicit"):
            row = probes.setdefault(probe, [None] * len(STATES))
            row[STATES.index(state)] = _short(p)
    values = {
        name: _value(metric, case, preset)
        for name, metric in METRICS.items()
        if case.failure is None and metric.applies(case, preset)
    }
    return {"source": source, "p": probes, "values": values, "failure": case.failure}


def _value(metric: Metric, case: Observation, preset: Preset) -> float | str | None:
    """A number, or why there is none."""
    value = case_value(metric, case, preset)
    return value.reason if isinstance(value, Guarded) else _short(value)


def _short(value: float) -> float | None:
    """Four digits are enough to look at."""
    return float(f"{value:.4g}") if math.isfinite(value) else None
