"""Jobs on the page about many machines are carried out by a shell, with `pitfalls` listening in."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from pages import Block, blocks, parse

from pitfalls.bench.shard import Shard

PAGE = [block for block in blocks() if block.page == "docs/many-machines.md"]
SHARES = 16

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")


def heard(script: list[str], folder: Path, **variables: str) -> list[str]:
    """Words that the script calls `pitfalls` with."""
    listener = folder / "pitfalls"
    listener.write_text('#!/bin/sh\nfor word in "$@"; do echo "$word"; done\n')
    listener.chmod(0o755)
    given = os.environ | variables | {"PATH": f"{folder}:{os.environ['PATH']}"}
    done = subprocess.run(script, env=given, capture_output=True, text=True, check=True)
    return ["pitfalls", *done.stdout.splitlines()]


def only(language: str) -> Block:
    (block,) = [block for block in PAGE if block.language == language]
    return block


def share_of(words: list[str]) -> Shard:
    parse(words)
    return Shard.parse(words[words.index("--shard") + 1])


def test_the_tasks_of_the_slurm_array_do_all_shares(tmp_path: Path) -> None:
    script = only("bash").text
    assert f"#SBATCH --array=1-{SHARES}\n" in script
    found = [
        heard(["bash", "-c", script], tmp_path, SLURM_ARRAY_TASK_ID=f"{n}", SLURM_CPUS_PER_TASK="8")
        for n in range(1, SHARES + 1)
    ]
    assert [share_of(words) for words in found] == [Shard(n, SHARES) for n in range(1, SHARES + 1)]


def test_the_pods_of_the_kubernetes_job_do_all_shares(tmp_path: Path) -> None:
    spec = yaml.safe_load(only("yaml").text)["spec"]
    assert spec["completionMode"] == "Indexed"
    assert spec["completions"] == SHARES
    (container,) = spec["template"]["spec"]["containers"]
    found = [
        heard(container["command"], tmp_path, JOB_COMPLETION_INDEX=f"{n}") for n in range(SHARES)
    ]
    assert [share_of(words) for words in found] == [Shard(n, SHARES) for n in range(1, SHARES + 1)]
