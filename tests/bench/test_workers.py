"""Workers measure what a plain run measures, bit for bit, also where one of them dies."""

import multiprocessing
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from engine_runs import same_bits
from killing import killing_one

from pitfalls.bench.chunks import Task, tasks_of
from pitfalls.bench.crew import LOSSES, Lost, deal_out
from pitfalls.bench.engine import run
from pitfalls.bench.experiment import Experiment
from pitfalls.bench.hiring import hiring
from pitfalls.bench.outfit import Answer, Bug, Mistake
from pitfalls.bench.processes import devices
from pitfalls.cases.collections import load_cases
from pitfalls.editors.names import EditorName
from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.progress import SilentProgress
from pitfalls.records.run_directory import RunDirectory


class Notes(SilentProgress):
    """Keeps what is noted."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        self.lines.append(line)


def children() -> set[int]:
    return {each.pid for each in multiprocessing.active_children() if each.pid is not None}


@pytest.mark.skipif(sys.platform == "win32", reason="no kill -9 on Windows")
def test_workers_of_whom_one_dies_do_what_a_plain_run_does(
    experiment: Experiment, whole: RunDirectory, tmp_path: Path
) -> None:
    notes, measured = Notes(), list[int]()
    out = tmp_path / "run"
    with killing_one(out, children) as killed:
        directory = run(
            experiment,
            out,
            workers=hiring("2"),
            progress=notes,
            measured=lambda found, left: measured.append(left),
        )
    assert len(killed) == 1
    assert [line for line in notes.lines if "was lost (signal SIGKILL)" in line]
    assert same_bits(directory, whole)
    assert measured == [2, 1, 0]
    assert children() == set()
    assert not list(out.rglob("*.tmp"))


def test_a_finished_run_hires_nobody(experiment: Experiment, whole: RunDirectory) -> None:
    def nobody(outfit: object) -> "Rehearsed":
        raise AssertionError("nothing is left to do")

    assert run(experiment, whole.path, workers=nobody).parts() == whole.parts()


@pytest.mark.parametrize("text", ["0", "-1", "x", "", "1.5", "ray:", "rays", "99999", "2 "])
def test_workers_that_there_are_not_are_told_in_one_line(text: str) -> None:
    with pytest.raises(PitfallsError, match="expected a number from 1 to") as told:
        hiring(text)
    assert "\n" not in str(told.value)


def test_devices_are_dealt_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    assert devices("cuda", 3) == ["cuda:0", "cuda:1", "cuda:0"]
    assert devices("cuda:1", 2) == ["cuda:1", "cuda:1"]
    assert devices("cpu", 2) == ["cpu", "cpu"]


# --- dealing out, without processes --------------------------------------------------------------


@dataclass
class Rehearsed:
    """Workers that answer at once, or are lost as often as they are told to be."""

    size: int = 2
    dies: Counter[int] = field(default_factory=Counter)
    """Position of a chunk → how many workers it costs."""
    answer: Answer = field(default_factory=dict)
    tasks: list[Task] = field(default_factory=list)
    given: list[tuple[int, Task]] = field(default_factory=list)
    history: list[tuple[int, Task]] = field(default_factory=list)
    closed: bool = False

    def start(self, worker: int) -> None:
        assert worker < self.size

    def give(self, worker: int, task: Task) -> None:
        self.given.append((worker, task))
        self.history.append((worker, task))

    def wait(self) -> tuple[int, Answer | Lost]:
        worker, task = self.given.pop(0)
        position = self.tasks.index(task)
        if self.dies[position]:
            self.dies[position] -= 1
            return worker, Lost("signal 9")
        return worker, self.answer

    def close(self) -> None:
        self.closed = True


@pytest.fixture(scope="module")
def tasks() -> list[Task]:
    """Two editors, five chunks each."""
    cases = {"conflict/reverse": load_cases("conflict/reverse", 5)}
    return tasks_of(cases, [EditorName("ft"), EditorName("rome")], size=1)


def done(crew: Rehearsed, tasks: list[Task]) -> Iterable[Task]:
    crew.tasks = tasks
    return [task for task, _ in deal_out(crew, tasks, lambda line: None)]


def test_every_chunk_is_done_once(tasks: list[Task]) -> None:
    crew = Rehearsed(dies=Counter({0: 1, 7: LOSSES - 1}))
    assert Counter(done(crew, tasks)) == Counter(tasks)
    assert crew.closed


def test_a_worker_keeps_to_the_cases_that_it_has_read(tasks: list[Task]) -> None:
    crew = Rehearsed()
    done(crew, tasks)
    reader = {task.chunk.number: worker for worker, task in crew.history[:5]}
    later = [reader[task.chunk.number] == worker for worker, task in crew.history[5:]]
    assert sum(later) >= 4


def test_a_chunk_that_costs_one_worker_after_another_ends_the_run(tasks: list[Task]) -> None:
    crew = Rehearsed(dies=Counter({3: LOSSES}))
    with pytest.raises(PitfallsError, match=r"lost over chunk 3 of ft .*fewer --workers") as told:
        done(crew, tasks)
    assert "\n" not in str(told.value)
    assert crew.closed


def test_what_a_worker_finds_wrong_is_told(tasks: list[Task]) -> None:
    with pytest.raises(PitfallsError, match=r"^no such file$"):
        done(Rehearsed(answer=Mistake("no such file")), tasks)
    with pytest.raises(RuntimeError, match="Traceback"):
        done(Rehearsed(answer=Bug("Traceback …")), tasks)


def test_a_worker_with_another_model_is_refused(
    experiment: Experiment, whole: RunDirectory, tiny_folder: Path
) -> None:
    from pitfalls.bench.outfit import Outfit

    other = whole.header.model.model_copy(update={"fingerprint": "other"})
    header = whole.header.model_copy(update={"model": other})
    with pytest.raises(PitfallsError, match="has other weights than the run's"):
        Outfit(experiment, header, "cpu", 1, str(Path.cwd())).open()
    header = whole.header.model_copy(update={"contexts": {}})
    with pytest.raises(PitfallsError, match="other context templates"):
        Outfit(experiment, header, "cpu", 1, str(Path.cwd())).open()


def test_a_run_by_workers_leaves_the_model_of_the_first_process(
    experiment: Experiment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine holds as many models as workers, not one more."""
    loaded = []
    load = LanguageModel.load

    def noting(*given: object, **named: object) -> LanguageModel:
        import weakref

        model = load(*given, **named)  # type: ignore[arg-type]
        loaded.append(weakref.ref(model))
        return model

    def late(outfit: object) -> Rehearsed:
        import gc

        gc.collect()
        assert [each() for each in loaded] == [None]
        raise PitfallsError("as far as this test goes")

    monkeypatch.setattr(LanguageModel, "load", noting)
    with pytest.raises(PitfallsError, match="as far as"):
        run(experiment, tmp_path / "run", workers=late)
