"""A case told in words, for a person who wants to see what is being measured."""

from pitfalls.cases.case import Case
from pitfalls.cases.plan import plan
from pitfalls.facts import Edit, Fact


def in_words(case: Case) -> list[tuple[str, str]]:
    """(what it is, how it reads) for the facts, the edits and everything that will be read."""
    rows = [("case", _title(case))]
    rows += [("true before", _fact(fact)) for fact in case.triples]
    if case.true_objects:
        labels = ", ".join(entity.label for entity in case.true_objects)
        rows.append(("true before", f"{_prompt(case.first.before)} {labels}"))
    rows += [(_ordinal(n), _edit(edit)) for n, edit in enumerate(case.edits)]
    planned = plan(case)
    for probe in planned.every_probe.values():
        rows.append((f"read: {probe.name}", f"{_fact(probe.fact)} ({len(probe.prompts)} prompts)"))
    rows.append(("in the states", ", ".join(planned.states)))
    return rows


def _ordinal(n: int) -> str:
    return f"{('first', 'second', 'third')[n]} edit" if n < 3 else f"edit {n + 1}"


def _title(case: Case) -> str:
    return f"{case.id}, {case.kind}" + (f" by the rule {case.rule}" if case.rule else "")


def _prompt(fact: Fact) -> str:
    return fact.relation.prompt.format(fact.subject.label)


def _fact(fact: Fact) -> str:
    return f"{_prompt(fact)} {fact.object.label}"


def _edit(edit: Edit) -> str:
    return f"{_prompt(edit.before)} {edit.before.object.label} → {edit.new_object.label}"
