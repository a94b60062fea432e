"""A command that is stopped says what is kept and how to go on; its status tells why it ended."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import CommandLine

from pitfalls.cli.main import app
from pitfalls.cli.stopping import BEGINS_AGAIN, GOES_ON, Stopped, what_is_kept
from pitfalls.disk import write_bytes

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="no such signals on Windows"),
    pytest.mark.usefixtures("heard"),
]

SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143}
EXPERIMENT = """\
model = "{model}"
editors = ["ft"]
cases = 60
chunk = 1
[settings.ft]
layer = 1
steps = 3
"""
"""300 parts: more than there is time for."""


def parts(out: Path) -> set[Path]:
    return set(out.glob("records/*.parquet"))


def stopped(experiment: Path, out: Path, by: signal.Signals) -> "subprocess.Popen[str]":
    """A run that a signal ended once it had written another part."""
    command = [Path(sys.executable).with_name("pitfalls"), "run", experiment, "--out", out]
    before, one_thread = parts(out), os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=one_thread)
    while parts(out) == before:
        assert process.poll() is None, process.stderr and process.stderr.read()
        time.sleep(0.01)
    process.send_signal(by)
    return process


def test_a_stopped_run_says_what_is_kept_and_goes_on(tiny_folder: Path, tmp_path: Path) -> None:
    experiment, out = tmp_path / "long.toml", tmp_path / "out"
    experiment.write_text(EXPERIMENT.format(model=tiny_folder))
    kept: set[Path] = set()
    for by, status in SIGNALS.items():
        process = stopped(experiment, out, by)
        _, complaints = process.communicate(timeout=300)
        assert process.returncode == status, complaints
        assert complaints.splitlines()[-1] == f"pitfalls: stopped: {GOES_ON['run']}"
        assert "Traceback" not in complaints
        assert kept < parts(out)
        kept = parts(out)
    assert len(kept) < 300
    assert not list(out.rglob("*.tmp"))


def test_a_write_that_is_stopped_leaves_no_half_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(descriptor: int) -> None:
        raise Stopped

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(Stopped):
        write_bytes(tmp_path / "part", b"half")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("by", "status"), SIGNALS.items())
def test_any_other_command_begins_again(
    by: signal.Signals,
    status: int,
    pitfalls: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = signal.getsignal(by)
    monkeypatch.setattr("pitfalls.cli.models.packaged_models", lambda: os.kill(os.getpid(), by))
    answer = pitfalls("models")
    assert (answer.status, answer.out) == (status, "")
    assert answer.err == f"pitfalls: stopped: {BEGINS_AGAIN}\n"
    assert signal.getsignal(by) is before


def test_a_signal_that_is_to_be_ignored_is(
    pitfalls: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ignored() -> dict[str, object]:
        os.kill(os.getpid(), signal.SIGINT)
        return {}

    monkeypatch.setattr("pitfalls.cli.models.packaged_models", ignored)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert pitfalls("models").status == 0
    finally:
        signal.signal(signal.SIGINT, before)


def test_only_commands_that_there_are_go_on() -> None:
    alone = {command.callback.__name__ for command in app.registered_commands if command.callback}
    grouped = {
        f"{group.name} {command.name or (command.callback and command.callback.__name__)}"
        for group in app.registered_groups
        for command in (group.typer_instance.registered_commands if group.typer_instance else ())
    }
    assert set(GOES_ON) <= alone | grouped
    assert GOES_ON["run"] in what_is_kept(["run", "x.toml", "--out", "run"])
    assert GOES_ON["train mend"] in what_is_kept(["train", "mend", "--out", "x"])
    assert BEGINS_AGAIN in what_is_kept(["score", "run"])
    assert BEGINS_AGAIN in what_is_kept([])
