"""Two kinds of case that only tests know: three edits in a row, and one edit alone."""

from dataclasses import replace

from pitfalls.cases.case import Case
from pitfalls.cases.collections import load_cases
from pitfalls.cases.kinds.kind import Kind
from pitfalls.cases.steps import Plan, Probe
from pitfalls.facts import Edit
from pitfalls.metrics.metric import Definition, Metric
from pitfalls.records.observation import Observation
from pitfalls.vocabulary import KindWords, ReadingKind


def plan_chain(case: Case, multi_label: bool) -> Plan:
    """Each edit on top of those before it, and all of them made together."""
    del multi_label
    one, two, three = case.edits
    states = {
        "start": (),
        "after one": ((one,),),
        "after three": ((one,), (two,), (three,)),
        "at once": ((one, two, three),),
    }
    probes = tuple(Probe(f"said/{n}", edit.after) for n, edit in enumerate(case.edits))
    return Plan(states, dict.fromkeys(states, probes))


def plan_single(case: Case, multi_label: bool, reads: ReadingKind = "logprobs") -> Plan:
    """One edit; the model is asked for what it says, before and after."""
    del multi_label
    (edit,) = case.edits
    states = {"start": (), "edited": ((edit,),)}
    probes = (Probe("said", edit.after), Probe("answer", edit.after, reads))
    return Plan(states, dict.fromkeys(states, probes if reads == "text" else probes[:1]))


def plan_spoken(case: Case, multi_label: bool) -> Plan:
    """A single edit of which a probability and a text are read."""
    return plan_single(case, multi_label, "text")


CHAIN = Kind(plan=plan_chain)
SINGLE = Kind(plan=plan_single)
SPOKEN = Kind(plan=plan_spoken)
WORDS = {
    "chain": KindWords(
        word="chain",
        explained="three edits in a row",
        probes={"said/": "what an edit says"},
        unedited="start",
        taught="said/2",
        rivals=("said/2", "said/0"),
    ),
    "single": KindWords(word="single", explained="one edit", unedited="start", taught="said"),
    "spoken": KindWords(word="spoken", explained="one edit, told", unedited="start"),
}


def _kept(case: Observation) -> float:
    return float(case.p("after three", "said/0") > case.p("start", "said/0"))


def _told(case: Observation) -> float:
    (text, *_) = case.text("edited", "answer")
    return float(text.startswith("edited"))


def metric(name: str, kind: str, needs: tuple[tuple[str, str], ...], compute) -> Metric:
    definition = Definition(
        formula="1{…}", source="a test", value_range=(0.0, 1.0), needs=needs, compute=compute
    )
    return Metric(
        name=name,
        title=name.title(),
        question="Does it?",
        increasing=True,
        best=1.0,
        kinds=(kind,),
        presets={"authors": definition, "clean": definition},
    )


KEPT = metric("kept", "chain", (("start", "said/0"), ("after three", "said/0")), _kept)
TOLD = metric("told", "spoken", (("edited", "answer"),), _told)


def chains(count: int) -> list[Case]:
    """o1 → o2 → o3 → o1."""
    made = []
    for case in load_cases("conflict/coverage", count):
        one, two = case.edits
        three = Edit(two.subject, two.relation, one.before.object, two.new_object)
        made.append(replace(case, kind="chain", edits=(one, two, three), triples=()))
    return made


def singles(count: int, kind: str = "single") -> list[Case]:
    """The first edits of coverage cases."""
    found = load_cases("conflict/coverage", count)
    return [replace(case, kind=kind, edits=case.edits[:1], triples=()) for case in found]
