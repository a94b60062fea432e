"""Whatever a user gets wrong is told in one line, with exit status 2, and costs nothing."""

from pathlib import Path

import pytest
from commands import CommandLine

RUN = ("run", "--model", "{tiny}", "--editor", "ft", "--data", "conflict/coverage", "--cases", "1")
"""A run that works and takes a second; later options win over earlier ones where given twice."""

EDIT = ("edit", "--prompt", "{{}} is", "--subject", "s", "--target", "t", "--out", "{out}")
"""An edit of the default model."""


@pytest.fixture
def places(tmp_path: Path, tiny_folder: Path) -> dict[str, Path]:
    """Names in the table below → paths."""
    here = {"tiny": tiny_folder, "tmp": tmp_path, "out": tmp_path / "out"}
    for name, content in FILES.items():
        here[name.replace(".", "_")] = tmp_path / name
        (tmp_path / name).write_bytes(content)
    return here


FILES = {
    "file": b"",
    "magic.gguf": b"GGUF" + bytes(range(64)),
    "text.gguf": b"once upon a time",
    "broken.toml": b"model = \n",
    "editor.toml": b"[settings.rom]\nlayer = 1\n",
    "latin.toml": b'model = "caf\xe9"\n',
    "typo.toml": b'modle = "tiny"\n',
    "none.toml": b"editors = []\n",
    "true.toml": b"cases = true\n",
    "types.toml": b'cases = "four"\n',
    "layer.toml": b'editors = ["ft"]\n[settings.ft]\nlayr = 1\n',
    "empty.jsonl": b"",
    "words.json": b"{",
    "words.txt": b"once upon a time",
}

WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    # what is wrong → (the command, words that the line must contain)
    "model": ((*RUN, "--model", "nosuch"), "unknown model 'nosuch'"),
    "model near": ((*RUN, "--model", "smollm2-135"), "did you mean 'smollm2-135m'?"),
    "model path": ((*RUN, "--model", "{tmp}/nowhere"), "does not exist"),
    "model folder": ((*RUN, "--model", "{tmp}"), "has no config.json"),
    "gguf cut off": ((*RUN, "--model", "{magic_gguf}"), "magic.gguf"),
    "gguf of text": ((*RUN, "--model", "{text_gguf}"), "not a GGUF file"),
    "editor": ((*RUN, "--editor", "rom"), "unknown editor 'rom': did you mean 'rome'?"),
    "editor suffix": ((*RUN, "--editor", "rome+ml"), "did you mean 'rome+mle'?"),
    "editor on no data": ((*RUN, "--editor", "rome+mle"), "differs from rome on round trips only"),
    "data": ((*RUN, "--data", "conflict/revers"), "did you mean 'conflict/reverse'?"),
    "data collection": ((*RUN, "--data", "startr:round/easy"), "did you mean 'starter'?"),
    "data not fetched": (
        (*RUN, "--data", "released-gpt-j:round/easy"),
        "run `pitfalls data fetch released-gpt-j`",
    ),
    "data file": ((*RUN, "--data", "{tmp}/nowhere.jsonl"), "nowhere.jsonl: no such file"),
    "data empty": ((*RUN, "--data", "{empty_jsonl}"), "empty.jsonl: line 1"),
    "data folder": ((*RUN, "--data", "{tmp}"), "is a folder; say which set"),
    "data not JSON": ((*RUN, "--data", "{words_json}:conflict/reverse"), "words.json"),
    "dtype": ((*RUN, "--dtype", "float23"), "unknown dtype 'float23': did you mean"),
    "device": ((*RUN, "--device", "gpu"), "device 'gpu'"),
    "device of nothing": ((*RUN, "--device", "meta"), "device 'meta' cannot be used"),
    "device of another kind": ((*RUN, "--device", "hpu"), "device 'hpu' cannot be used"),
    "device of a plan": ((*RUN, "--plan", "--device", "gpu"), "device 'gpu' cannot be used"),
    "device absent": ((*RUN, "--device", "cuda:7"), "device 'cuda:7'"),
    "no cases": ((*RUN, "--cases", "0"), "'--cases': Input should be greater"),
    "cases not a number": ((*RUN, "--cases", "four"), "'--cases'"),
    "layer": ((*RUN, "--set", "ft.layer=99"), "layer 99 does not exist"),
    "layer below": ((*RUN, "--set", "ft.layer=-1"), "ft.layer: got -1; input should be"),
    "setting": ((*RUN, "--set", "ft.layr=1"), "did you mean 'layer'?"),
    "setting type": ((*RUN, "--set", "ft.steps=many"), "ft.steps: got 'many'"),
    "setting form": ((*RUN, "--set", "layer=1"), "expected EDITOR.SETTING=VALUE"),
    "setting out of range": ((*RUN, "--set", "ft.lr=-1"), "ft.lr: got -1; input should be"),
    "setting no number": ((*RUN, "--set", "ft.lr=nan"), "ft.lr: got nan; input should be"),
    "setting of two minds": (
        (*RUN, "--set", "ft.layer=1", "--set", "ft.layer.x=2"),
        "--set ft.layer.x=2: another --set gives layer a plain value",
    ),
    "setting of two minds, turned": (
        (*RUN, "--set", "ft.layer.x=2", "--set", "ft.layer=1"),
        "--set ft.layer=1: another --set gives layer settings of its own",
    ),
    "no editors": (("run", "{none_toml}"), "none.toml: editors: got []"),
    "cases true": (("run", "{true_toml}"), "true.toml: cases: got True"),
    "seed": ((*RUN, "--seed", "9" * 30), "'--seed'"),
    "corpus": (
        (*RUN, "--editor", "rome", "--set", "rome.moments.corpus=nosuch"),
        "unknown corpus 'nosuch'",
    ),
    "setting of no editor here": (
        (*RUN, "--set", "rome.layer=1"),
        "unknown editor of this run in --set 'rome': known: ft",
    ),
    "out is a file": ((*RUN, "--out", "{file}"), "{file}"),
    "out below a file": ((*RUN, "--out", "{file}/run"), "cannot write {file}/run"),
    "out not allowed": ((*RUN, "--out", "/proc/nowhere"), "/proc/nowhere"),
    "out of others": ((*RUN, "--out", "{tmp}"), "holds files but no run.json"),
    "experiment absent": (("run", "{tmp}/nowhere.toml"), "nowhere.toml: cannot be read"),
    "experiment folder": (("run", "{tmp}"), "cannot be read"),
    "experiment broken": (("run", "{broken_toml}"), "broken.toml: is not valid TOML"),
    "experiment in latin-1": (("run", "{latin_toml}"), "latin.toml: is not UTF-8 text"),
    "experiment key": (("run", "{typo_toml}"), "did you mean 'model'?"),
    "experiment type": (("run", "{types_toml}"), "types.toml: cases: got 'four'"),
    "experiment setting": (("run", "{layer_toml}", *RUN[1:]), "did you mean 'layer'?"),
    "experiment editor": (("run", "{editor_toml}", *RUN[1:]), "did you mean 'rome'?"),
    "option": ((*RUN, "--sed", "1"), "--sed"),
    "command": (("runn",), "runn"),
    "score nothing": (("score",), "nothing to score"),
    "score empty": (("score", "{tmp}"), "no run in {tmp}"),
    "score file": (("score", "{file}"), "no run in {file}"),
    "score nowhere": (("score", "{tmp}/nowhere"), "no run in {tmp}/nowhere"),
    "score preset": (("score", "{tmp}", "--preset", "claen"), "did you mean 'clean'?"),
    "score their nothing": (("score", "--authors-results", "{tmp}"), "no result files in {tmp}"),
    "build kind": (("build", "--kind", "revers", "--out", "{out}"), "revers"),
    "build too many": (
        ("build", "--kind", "reverse", "--count", "999999", "--out", "{out}"),
        "999999",
    ),
    "build over its own card": (
        ("build", "--kind", "reverse", "--count", "1", "--out", "{out}.md"),
        ".md is the card's ending",
    ),
    "build idle relation": (
        ("build", "--kind", "reverse", "--relation", "P22", "--out", "{out}"),
        "reverse cases take their relations from rules",
    ),
    "build idle rules": (
        ("build", "--kind", "coverage", "--relation", "P22", "--rules", "paper", "--out", "{out}"),
        "give one of them",
    ),
    "build below a file": (
        ("build", "--kind", "reverse", "--count", "1", "--out", "{file}/cases.jsonl"),
        "{file} is a file",
    ),
    "moments layer": (("moments", "99", "--model", "{tiny}"), "99"),
    "moments of nothing": (
        ("moments", "1", "--model", "{tiny}", "--max-tokens", "0"),
        "'--max-tokens': Input should be greater",
    ),
    "moments corpus": (("moments", "1", "--corpus", "nosuch"), "unknown corpus 'nosuch'"),
    "locate seed": (("locate", "{tiny}", "--seed", "9" * 30), "'--seed'"),
    "locate noise": (("locate", "{tiny}", "--noise", "nan"), "noise: got nan"),
    "locate facts": (("locate", "{tiny}", "--facts", "0"), "'--facts'"),
    "locate device": (("locate", "{tiny}", "--device", "meta"), "device 'meta'"),
    "locate plot": (("locate", "{tiny}", "--plot", "{tmp}/x.pdf"), "expected a name that ends"),
    "mine confidence": (("rules", "mine", "--confidence", "nan"), "'--confidence'"),
    "mine PCA": (("rules", "mine", "--pca-confidence", "2"), "'--pca-confidence'"),
    "mine seconds": (("rules", "mine", "--seconds", "-1"), "'--seconds'"),
    "mine never": (("rules", "mine", "--seconds", "inf"), "seconds: got inf"),
    "build none": (("build", "--kind", "reverse", "--count", "0", "--out", "{out}"), "'--count'"),
    "build seed": (("build", "--kind", "reverse", "--seed", "-1", "--out", "{out}"), "'--seed'"),
    "train out": (("train", "mend", "--out", "{tmp}"), "{tmp} is a folder, expected a file"),
    "train nowhere": (("train", "mend", "--out", "{out}/mend"), "{out} does not exist"),
    "train setting": (
        ("train", "mend", "--out", "{tmp}/m", "--set", "mend-training.steps=0"),
        "mend-training.steps: got 0",
    ),
    "train another": (
        ("train", "mend", "--out", "{tmp}/m", "--set", "rome.layer=1"),
        "unknown editor of this run in --set 'rome'",
    ),
    "edit nothing": (("edit", "--out", "{out}"), "nothing to do: give an edit"),
    "edit editor": ((*EDIT, "--editor", "roem"), "did you mean 'rome'?"),
    "edit setting": ((*EDIT, "--set", "rome.layr=1"), "did you mean 'layer'?"),
    "edit setting type": ((*EDIT, "--set", "rome.value.steps=many"), "got 'many'"),
    "edit text": ((*EDIT, "--text", "nosuch"), "unknown corpus 'nosuch'"),
    "edit file": (("edit", "--edits", "{empty_jsonl}", "--out", "{out}"), "holds no edits"),
    "edit model": ((*EDIT, "--text", "{words_txt}", "--model", "nosuch"), "unknown model 'nosuch'"),
    "stack command": (("stack", "lst", "{out}"), "lst"),
    "stack list": (("stack", "list", "{out}"), "no edits in {out}"),
    "stack show": (("stack", "show", "{file}"), "no edits in {file}"),
    "stack undo": (("stack", "undo", "{out}", "1"), "no edits in {out}"),
    "stack undo what": (("stack", "undo", "{out}"), "K"),
    "stack undo no number": (("stack", "undo", "{out}", "one"), "K"),
    "stack merge": (("stack", "merge", "{tmp}", "--out", "{out}"), "no edits in {tmp}"),
    "stack merge taken": (("stack", "merge", "{out}", "--out", "{tmp}"), "{tmp} exists already"),
    "stack merge below a file": (
        ("stack", "merge", "{out}", "--out", "{file}/merged"),
        "cannot write {file}/merged",
    ),
    "stack merge where": (("stack", "merge", "{out}"), "out"),
    "stack adapter": (("stack", "adapter", "{tmp}", "--out", "{out}"), "no edits in {tmp}"),
    "stack adapter rank": (
        ("stack", "adapter", "{tmp}", "--out", "{out}", "--rank", "0"),
        "'--rank': Input should be greater",
    ),
    "models fetch": (("models", "fetch", "nosuch"), "unknown model 'nosuch'"),
    "models verify": (("models", "verify", "smollm2-135m"), "is not in the cache"),
    "models command": (("models", "lst"), "lst"),
    "data fetch": (("data", "fetch", "released-gpt-3"), "did you mean 'released-gpt-j'?"),
    "data fetch copy": (
        ("data", "fetch", "released-gpt-j", "--from", "{tmp}"),
        "holds no copy of released-gpt-j",
    ),
    "data verify": (("data", "verify", "released-gpt-j"), "is not here yet"),
    "data show": (("data", "show", "round/easy", "--index", "100"), "has cases 0 to 99"),
    "data audit": (("data", "audit", "round/eas"), "did you mean 'round/easy'?"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_the_mistake_is_told_in_one_line(
    wrong: str, places: dict[str, Path], pitfalls: CommandLine
) -> None:
    command, told = WRONG[wrong]
    words = [word.format_map(places) for word in command]
    if words[0] == "run" and "--out" not in words:
        words += ["--out", str(places["out"])]
    assert told.format_map(places) in pitfalls(*words).complaint
    assert not places["out"].exists()


BEFORE_LOADING = (
    "editor",
    "editor on no data",
    "data",
    "dtype",
    "device",
    "device absent",
    "device of nothing",
    "device of a plan",
    "layer below",
    "setting",
    "setting type",
    "setting out of range",
    "setting of two minds",
    "corpus",
    "out is a file",
    "out below a file",
    "out of others",
    "no editors",
    "experiment setting",
    "moments of nothing",
    "moments corpus",
    "locate noise",
    "locate plot",
    "locate device",
    "train out",
    "train nowhere",
    "train setting",
    "train another",
    "edit nothing",
    "edit editor",
    "edit setting",
    "edit setting type",
    "edit text",
    "edit file",
    "stack merge",
    "stack merge taken",
    "stack merge below a file",
    "stack adapter",
)
"""Mistakes that no model is needed to find."""


@pytest.mark.parametrize("wrong", BEFORE_LOADING)
def test_the_mistake_is_told_before_a_model_is_looked_for(
    wrong: str,
    places: dict[str, Path],
    pitfalls: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def looked_for(name: str, **_: object) -> Path:
        raise AssertionError(f"{name} was looked for")

    monkeypatch.setattr("pitfalls.models.language_model.resolve", looked_for)
    test_the_mistake_is_told_in_one_line(wrong, places, pitfalls)
