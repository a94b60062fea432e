"""`pitfalls moments` says how good each layer's estimate is, and of which texts."""

from pathlib import Path

import pytest
from commands import CommandLine

from pitfalls.testing import TEXT


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    file = tmp_path / "text.txt"
    file.write_text("\n\n".join([TEXT] * 3), encoding="utf-8")
    return file


def test_the_state_of_every_layer_is_told(
    pitfalls: CommandLine, tiny_folder: Path, corpus: Path
) -> None:
    answer = pitfalls("moments", 1, 2, "--model", tiny_folder, "--corpus", corpus)
    assert answer.status == 0
    _, first, second = answer.out.splitlines()
    assert "all of the text" in first
    assert "all of the text" in second
    assert "second moments, layer 2: not settled" in answer.err
    stopped = pitfalls(
        "moments", 1, "--model", tiny_folder, "--corpus", corpus, "--max-tokens", 100
    )
    assert "not settled after 100 tokens, where max_tokens ends it" in stopped.out


def test_a_prefix_is_part_of_every_text(
    pitfalls: CommandLine, tiny_folder: Path, corpus: Path
) -> None:
    words = ("moments", 1, "--model", tiny_folder, "--corpus", corpus)
    plain, begun = pitfalls(*words), pitfalls(*words, "--prefix", "bos")
    assert begun.status == 0
    tokens = [int(answer.out.split("settled after ")[1].split()[0]) for answer in (plain, begun)]
    assert tokens[1] > tokens[0]
