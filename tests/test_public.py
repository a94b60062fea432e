"""Public names in a console: only they are listed, and objects print on one line."""

import subprocess
import sys
from pathlib import Path

import pytest

import pitfalls
from pitfalls import Edit, Job, Made, Request, Results, Stack, Update, effect_of
from pitfalls.graph.starter import starter_graph
from pitfalls.models.text.corpus import Corpus
from pitfalls.testing import EDITS, TEXT, tiny_model

sys.path.append(str(Path(__file__).parent / "report"))
from runs_on_disk import make_run

LONGEST = 200


def test_only_public_names_are_listed() -> None:
    """Holds also after everything has been imported."""
    code = (
        "import pitfalls; [getattr(pitfalls, n) for n in pitfalls.__all__]; print(*dir(pitfalls))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == sorted(pitfalls.__all__) == dir(pitfalls)


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """An object of every large public class."""
    model = tiny_model("llama")
    base = Job((EDITS[0],))
    (update,) = pitfalls.FineTune(layer=1, steps=1).fit(model, [base])
    requests = [Request(prompt="{} is", subject=str(i), target="x") for i in range(30)]
    made = Made(tuple(requests), "ft", update)
    folder = tmp_path_factory.mktemp("values")
    return {
        "LanguageModel": model,
        "Update": update,
        "Job": Job(EDITS, update),
        "Made": made,
        "Stack": Stack.open(folder / "stack", model).with_edits([made]),
        "Results": Results.read(make_run(folder / "run")),
        "Effect": effect_of(
            model, requests[:1], update, graph=starter_graph(), corpus=Corpus.of("text", [TEXT])
        ),
        "nothing": Update(),
    }


def test_a_value_is_shown_on_a_line(values: dict[str, object]) -> None:
    shown = {name: repr(value) for name, value in values.items()}
    assert {name: text for name, text in shown.items() if "\n" in text} == {}
    assert {name: len(text) for name, text in shown.items() if len(text) > LONGEST} == {}
    assert all(name in text for name, text in shown.items() if name != "nothing")


def test_an_edit_can_be_written_by_position() -> None:
    by_name = Edit.of("{} is in", subject="Eiffel Tower", target="Rome")
    assert Edit.of("{} is in", "Eiffel Tower", "Rome") == by_name
