"""`pitfalls train mend` end to end on a tiny model, and what it says of mistakes."""

from pathlib import Path

import pytest

from pitfalls.cli.main import main
from pitfalls.editors.mend.checkpoint import read_description
from pitfalls.testing import TEXT, tiny_model

SMALL = ("rank=2", "steps=2", "validate_every=2", "batch_size=4")


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    model = tiny_model("llama")
    model.network.save_pretrained(tmp_path / "model")
    model.tokenizer.save_pretrained(tmp_path / "model")
    words = TEXT.split()
    text = tmp_path / "text.txt"
    text.write_text("\n\n".join(" ".join(words[i:]) for i in range(20)), encoding="utf-8")
    made = ["train", "mend", "--model", str(tmp_path / "model"), "--corpus", str(text)]
    return [*made, "--out", str(tmp_path / "mend.safetensors")]


def sets(*words: str) -> list[str]:
    return [part for word in words for part in ("--set", f"mend-training.{word}")]


def test_it_writes_networks_and_tells_their_figures(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit) as end:
        main([*arguments, *sets(*SMALL)])
    assert end.value.code == 0
    told = capsys.readouterr().out
    assert "mend.safetensors: step 2: success" in told
    assert "locality loss" in told
    assert read_description(tmp_path / "mend.safetensors").rank == 2


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (sets("rnak=2"), "did you mean 'rank'"),
        (["--data", "nowhere"], "nowhere"),
        (["--leave-out", "conflict/revers"], "did you mean 'conflict/reverse'"),
        (["--corpus", "nothing"], "unknown corpus 'nothing'"),
    ],
)
def test_mistakes_are_one_line(
    arguments: list[str], more: list[str], message: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit) as end:
        main([*arguments, *more])
    assert end.value.code == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("pitfalls: ") and message in last
