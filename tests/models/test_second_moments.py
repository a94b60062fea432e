"""Second moments are the mean of k kᵀ over the text in any batching, and are computed once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from pitfalls.cache import cache_root
from pitfalls.editors.editor import Job
from pitfalls.editors.insertion.contexts import Contexts
from pitfalls.editors.rome import Rome
from pitfalls.errors import PitfallsError
from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.disturbance import disturbance
from pitfalls.models.reading.moments import MomentSettings, estimate, second_moments
from pitfalls.models.running.trace import mlp_out_traffic
from pitfalls.models.text.corpus import load_corpus
from pitfalls.models.text.windows import WINDOW
from pitfalls.models.tokens import Split
from pitfalls.progress import SilentProgress
from pitfalls.testing import EDITS, FAMILY_KINDS, TEXT, tiny_model

pytestmark = pytest.mark.families(FAMILY_KINDS)


@contextmanager
def forward_passes(model: LanguageModel) -> Iterator[list[int]]:
    calls: list[int] = []
    hook = model.blocks[0].register_forward_pre_hook(lambda module, inputs: calls.append(1))
    try:
        yield calls
    finally:
        hook.remove()


def one_text_at_a_time(
    model: LanguageModel, layer: int, settings: MomentSettings
) -> tuple[torch.Tensor, int]:
    """Second moment by its definition."""
    total, count = torch.zeros(()).double(), 0
    for text in load_corpus(settings.corpus).texts:
        ids = model.tokenizer(text)["input_ids"][: settings.max_length]
        ids = ids[: settings.max_tokens - count]
        if not ids:
            break
        keys, _ = mlp_out_traffic(model, model.batch([Split((), tuple(ids))]), [layer])[layer]
        total = total + keys[0].double().mT @ keys[0].double()
        count += len(ids)
    return total / count, count


VARIANTS: dict[str, dict[str, int]] = {
    "all": {},
    "one row at a time": {"token_budget": 1},
    "few rows": {"token_budget": 100},
    "short": {"max_length": 7},
    "cut in a text": {"max_tokens": 333},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_batches_give_the_mean_over_all_tokens(
    model: LanguageModel, moments: MomentSettings, variant: str
):
    settings = replace(moments, **VARIANTS[variant])
    found = second_moments(model, [1, 3], settings)
    assert found.keys() == {1, 3}
    for layer, moment in found.items():
        expected, count = one_text_at_a_time(model, layer, settings)
        assert moment.about.tokens == count
        assert moment.matrix.dtype == torch.float32
        assert (moment.matrix - expected).norm() <= 1e-6 * expected.norm()


def test_the_second_time_nothing_is_computed(model: LanguageModel, moments: MomentSettings):
    first = second_moments(model, [0, 2], moments)
    with forward_passes(model) as calls:
        second = second_moments(model, [2, 0], moments)
        second_moments(model, [2], replace(moments, token_budget=64))
    assert not calls
    for layer, moment in first.items():
        assert torch.equal(second[layer].matrix, moment.matrix)
        assert second[layer].about == moment.about


def test_only_missing_layers_are_computed(model: LanguageModel, moments: MomentSettings):
    second_moments(model, [0], moments)
    assert second_moments(model, [0, 1], moments).keys() == {0, 1}
    assert len(cached_files()) == 2


def cached_files() -> set[Path]:
    return set(cache_root().glob("moments/*.safetensors"))


def other_text(moments: MomentSettings, folder: Path) -> MomentSettings:
    file = folder / "other.txt"
    file.write_text(Path(moments.corpus).read_text(encoding="utf-8") + "\n\nMore.", "utf-8")
    return replace(moments, corpus=str(file))


def renamed(moments: MomentSettings, folder: Path) -> MomentSettings:
    file = folder / "same.txt"
    file.write_bytes(Path(moments.corpus).read_bytes())
    return replace(moments, corpus=str(file))


DEPENDS: dict[str, Callable[[MomentSettings, Path], MomentSettings]] = {
    "corpus": other_text,
    "max_tokens": lambda moments, folder: replace(moments, max_tokens=300),
    "max_length": lambda moments, folder: replace(moments, max_length=9),
    "tolerance": lambda moments, folder: replace(moments, tolerance=0.5),
}


@pytest.mark.parametrize("what", DEPENDS)
def test_what_changes_c_has_a_file_of_its_own(
    model: LanguageModel, moments: MomentSettings, what: str, tmp_path: Path
):
    second_moments(model, [1], moments)
    before = cached_files()
    second_moments(model, [1], DEPENDS[what](moments, tmp_path))
    assert len(cached_files()) == 2
    assert before < cached_files()


def test_layers_models_and_dtypes_have_files_of_their_own(moments: MomentSettings):
    model = tiny_model("llama")
    second_moments(model, [1, 2], moments)
    assert len(cached_files()) == 2
    second_moments(tiny_model("llama", seed=1), [1], moments)
    assert len(cached_files()) == 3
    other = LanguageModel.wrap(
        tiny_model("llama").network.to(torch.bfloat16), model.tokenizer, name=model.name
    )
    second_moments(other, [1], moments)
    assert len(cached_files()) == 4


def test_the_same_text_under_another_name_is_the_same_text(
    model: LanguageModel, moments: MomentSettings, tmp_path: Path
):
    second_moments(model, [1], moments)
    with forward_passes(model) as calls:
        second_moments(model, [1], renamed(moments, tmp_path))
    assert not calls


@pytest.mark.parametrize("damage", ["cut", "empty", "other tensors"])
def test_a_damaged_file_is_computed_anew(
    model: LanguageModel, moments: MomentSettings, damage: str
):
    first = second_moments(model, [1], moments)[1]
    (file,) = cached_files()
    whole = file.read_bytes()
    if damage == "other tensors":
        file.write_bytes(whole.replace(b'"C"', b'"D"', 1))
    else:
        file.write_bytes(whole[: len(whole) // 2 if damage == "cut" else 0])
    second = second_moments(model, [1], moments)[1]
    assert torch.equal(first.matrix, second.matrix)
    assert torch.equal(load_file(file)["C"], first.matrix)


@pytest.fixture
def long(tmp_path: Path) -> MomentSettings:
    """Corpus of several windows."""
    file = tmp_path / "long.txt"
    words = TEXT.split()
    texts = [" ".join(words[i % 50 : i % 50 + 30]) for i in range(6 * WINDOW)]
    file.write_text("\n\n".join(texts), encoding="utf-8")
    return MomentSettings(corpus=str(file), tolerance=0.05, max_tokens=10**9)


def test_text_is_read_until_c_settles(model: LanguageModel, long: MomentSettings):
    settled = second_moments(model, [1], long)[1]
    everything = second_moments(model, [1], replace(long, tolerance=0.0))[1]
    assert settled.about.end == "settled"
    assert settled.about.change < 0.05
    assert settled.about.tokens < everything.about.tokens
    assert everything.about.end == "text"
    assert disturbance(settled.matrix, everything.matrix) < 0.05


def test_where_it_settles_does_not_depend_on_the_batches(
    model: LanguageModel, long: MomentSettings
):
    large = second_moments(model, [1], long)[1]
    for cached in cached_files():
        cached.unlink()
    small = second_moments(model, [1], replace(long, token_budget=150))[1]
    assert small.about.tokens == large.about.tokens
    torch.testing.assert_close(small.matrix, large.matrix)


def test_a_layer_gets_what_it_gets_alone(long: MomentSettings):
    model = tiny_model("llama")
    corpus, layers = load_corpus(long.corpus), range(model.n_layers)
    alone = {layer: estimate(model, [layer], corpus, long)[layer] for layer in layers}
    # Where one layer settles first, the others must read on.
    middle = sorted(moment.about.change for moment in alone.values())[1]
    settings = replace(long, tolerance=middle)
    together = estimate(model, layers, corpus, settings)
    for layer, moment in together.items():
        expected = estimate(model, [layer], corpus, settings)[layer]
        assert moment.about == expected.about
        assert torch.equal(moment.matrix, expected.matrix)


class Noting(SilentProgress):
    """Progress that records its notes."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        self.lines.append(line)


@pytest.mark.parametrize(
    ("changes", "end", "told"),
    [
        ({}, "settled", None),
        ({"max_tokens": 3000, "tolerance": 0.0}, "max_tokens", "3,000 tokens, where max_tokens"),
        ({"tolerance": 0.0}, "text", "all of the text"),
    ],
)
def test_why_reading_ended_is_told_unless_c_has_settled(
    long: MomentSettings, changes: dict[str, Any], end: str, told: str | None
):
    progress = Noting()
    settings = replace(long, **changes)
    (moment,) = second_moments(tiny_model("llama"), [1], settings, progress=progress).values()
    assert moment.about.end == end
    assert (told is None) == (not progress.lines)
    assert told is None or told in progress.lines[0]
    assert str(moment.about) in "".join(progress.lines) or told is None


def test_texts_longer_than_the_model_reads_are_cut(tmp_path: Path):
    model = tiny_model("gpt2")
    room = model.network.config.n_positions
    file = tmp_path / "long.txt"
    file.write_text("a " * 2 * room, encoding="utf-8")
    settings = MomentSettings(corpus=str(file), max_length=10**6)
    assert second_moments(model, [1], settings)[1].about.tokens == room


@pytest.mark.parametrize("tokens", [3, 60, 90])
def test_too_few_tokens_make_rome_refuse(
    model: LanguageModel, moments: MomentSettings, tokens: int
):
    editor = Rome(
        layer=1,
        contexts=Contexts(templates=("{}",)),
        moments=replace(moments, max_tokens=tokens),
    )
    told = rf"C of layer 1 is singular: {tokens} tokens for \d+ dimensions; raise"
    with pytest.raises(PitfallsError, match=told):
        editor.fit(model, [Job((EDITS[0],))])


def test_a_layer_that_does_not_exist_is_refused_before_anything_is_run(
    model: LanguageModel, moments: MomentSettings
):
    with forward_passes(model) as calls, pytest.raises(PitfallsError, match="layer 9"):
        second_moments(model, [1, 9], moments)
    assert not calls


def test_no_text_is_refused(model: LanguageModel, tmp_path: Path):
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(PitfallsError) as told:
        second_moments(model, [1], MomentSettings(corpus=str(tmp_path / "empty.txt")))
    assert "\n" not in str(told.value)
