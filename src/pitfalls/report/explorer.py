"""The cases for the page's explorer: told once, with what every editor made of them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pitfalls.metrics.breakdown import FACETS
from pitfalls.metrics.case_value import case_value
from pitfalls.metrics.metric import Guarded, Metric
from pitfalls.metrics.table import METRICS
from pitfalls.records.header import RelationInfo, RunHeader
from pitfalls.records.observation import Observation
from pitfalls.report.measures import main_metrics
from pitfalls.vocabulary import KIND_WORDS, STATES, Preset

Relations = Mapping[str, RelationInfo]


def explorer(
    observations: Iterable[Observation],
    headers: Mapping[str, RunHeader],
    *,
    preset: Preset,
    most: int,
) -> dict[str, Any]:
    """The data that the page's script draws from, as JSON values.

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
    states = list(dict.fromkeys((*STATES, *(state for case in kept for state in case.states))))
    cases: dict[tuple[str, str, str], dict[str, Any]] = {}
    for case in kept:
        key = (case.source.data, case.case_id, case.subject)
        relations = headers[case.source.run].relations.get(case.source.data, {})
        entry = cases.setdefault(key, _told(case, relations))
        entry["results"].append(_result(case, list(groups).index(case.source), preset, states))
    return {
        "states": states,
        "probes": _probe_words(),
        "sources": [_source(source) for source in groups],
        "metrics": {name: _metric(metric, preset) for name, metric in METRICS.items()},
        "main": dict(main_metrics()),
        "cases": list(cases.values()),
        "left_out": sum(map(len, groups.values())) - len(kept),
    }


def _probe_words() -> dict[str, str]:
    every = (words.probes.items() for words in KIND_WORDS.values())
    return {name: words for probes in every for name, words in probes}


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
    row, edits = case.case, case.edits
    facts = [_fact(fact, relations) for fact in row.get("triples", ())]
    subject = edits[0].get("subject", {}) if edits else {}
    facts += [
        [subject.get("label", ""), _label(edits[0], relations), one.get("label", "")]
        for one in row.get("true_objects", ())
    ]
    return {
        "id": case.case_id,
        "data": case.source.data,
        "kind": case.source.kind,
        "subject": subject.get("label", case.subject),
        "facets": {name: facet(case) for name, facet in FACETS.items()},
        "relations": sorted({_label(edit, relations) for edit in edits}),
        "edits": [_edit(edit, relations) for edit in edits],
        "facts": facts,
        "targets": dict(case.targets),
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


def _result(
    case: Observation, source: int, preset: Preset, states: Sequence[str]
) -> dict[str, Any]:
    probes: dict[str, list[float | None]] = {}
    aliases = KIND_WORDS[case.source.kind].aliases
    for (state, probe), p in case.probabilities.items():
        if probe not in aliases or not case.has(state, aliases[probe]):
            row = probes.setdefault(probe, [None] * len(states))
            row[states.index(state)] = _short(p)
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
