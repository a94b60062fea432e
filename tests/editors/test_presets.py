"""Settings come from presets, are checked by name and type, and are told apart from typos."""

import math
import tomllib
from dataclasses import asdict, replace
from importlib import resources
from typing import Any

import pytest

from pitfalls.editors.editor import Editor
from pitfalls.editors.fine_tune import FineTune
from pitfalls.editors.insertion.contexts import Contexts
from pitfalls.editors.mend.training import NAME, MendTraining
from pitfalls.editors.names import EditorName, editors_named
from pitfalls.editors.presets import preset_settings
from pitfalls.editors.rome import Rome
from pitfalls.editors.table import DEFAULT_EDITORS, EDITORS, editor_for
from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.models.language_model import LanguageModel
from pitfalls.testing import tiny_model, tiny_network

PRESETS = tomllib.loads((resources.files("pitfalls.data") / "presets.toml").read_text("utf-8"))
PAPER = {"gpt2-xl": 48, "gpt-j": 28}
"""The paper's models by their short names, and how many layers they have."""

TRAINED = ("mend",)
"""Editors that exist only where networks were trained for the model."""

UNTRAINED = sorted(set(EDITORS) - set(TRAINED))


def named(name: str, layers: int) -> LanguageModel:
    """A tiny model of many layers that goes by `name`."""
    tiny = tiny_model("gpt2")
    network = tiny_network("gpt2", vocabulary=len(tiny.tokenizer), layers=layers)
    return LanguageModel.wrap(network, tiny.tokenizer, name=name)


@pytest.mark.parametrize("name", [name for row in PRESETS["model"] for name in row["names"]])
@pytest.mark.parametrize("editor", UNTRAINED)
def test_every_preset_makes_an_editor(name: str, editor: str):
    made = editor_for(editor, named(name, 48), seed=3)
    assert type(made) is EDITORS[editor]
    assert all(0 <= layer < 48 for layer in layers_of(made))


@pytest.mark.parametrize("editor", UNTRAINED)
def test_any_other_model_gets_depths(editor: str):
    for layers in (1, 4, 13):
        edited = layers_of(editor_for(editor, named("mine", layers)))
        assert edited and all(0 <= layer < layers for layer in edited)


def layers_of(editor: Any) -> tuple[int, ...]:
    """The layers that an editor's settings name, one or several."""
    settings = asdict(editor)
    found: tuple[int, ...] = settings.get("layers") or (settings["layer"],)
    return found


def test_every_section_belongs_to_an_editor():
    sections = [PRESETS["default"], *PRESETS["model"]]
    assert {key for section in sections for key in section} <= {*EDITORS, NAME, "names"}
    names = [name for row in PRESETS["model"] for name in row["names"]]
    assert len(names) == len(set(names))


def test_the_papers_training_of_mend():
    for name, layers in PAPER.items():
        settings = MendTraining.of(named(name, layers), {})
        assert (settings.rank, settings.n_blocks, settings.n_hidden) == (1920, 3, 1)
        assert (settings.lr, settings.lr_lr, settings.edit_lr) == (1e-6, 1e-4, 1e-4)
        assert (settings.cedit, settings.cloc) == (0.1, 1.0)


def test_the_papers_values():
    """Hyper-parameters of the released files, by model and method."""
    for name, layer, ft, norm in (("gpt2-xl", 17, 1, 5e-4), ("gpt-j", 5, 21, 5e-5)):
        model = named(name, PAPER[name])
        rome = editor_for("rome", model)
        assert isinstance(rome, Rome)
        assert rome.layer == layer
        assert (rome.value.steps, rome.value.lr, rome.value.clamp) == (20, 0.5, 4.0)
        assert (rome.value.weight_decay, rome.value.kl_weight) == (0.5, 0.0625)
        assert rome.contexts == Contexts(lengths=((5, 10), (10, 10)))
        tuned, bounded = editor_for("ft", model), editor_for("ft-norm", model)
        assert isinstance(tuned, FineTune)
        assert isinstance(bounded, FineTune)
        assert (tuned.layer, tuned.steps, tuned.lr, tuned.norm) == (ft, 25, 5e-4, None)
        assert (bounded.layer, bounded.norm) == (0, norm)


def test_overrides_win_and_leave_their_neighbours(model: LanguageModel):
    plain = editor_for("rome", model)
    changed = editor_for("rome", model, {"value": {"steps": 3}, "layer": 2})
    assert isinstance(plain, Rome)
    assert changed == replace(plain, layer=2, value=replace(plain.value, steps=3))


def test_a_layer_wins_over_a_depth_and_a_depth_over_the_presets(model: LanguageModel):
    def layer(**settings: Any) -> int:
        editor: Editor = editor_for("ft", model, settings)
        assert isinstance(editor, FineTune)
        return editor.layer

    assert layer(depth=0.0) == 0
    assert layer(depth=1.0) == model.n_layers - 1
    assert layer(layer=3) == 3
    assert layer() == round(PRESETS["default"]["ft"]["depth"] * (model.n_layers - 1))


def test_presets_are_not_changed_by_who_reads_them(model: LanguageModel):
    before = preset_settings("rome", model)
    editor_for("rome", model, {"contexts": {"lengths": [[1, 1]]}, "value": {"steps": 1}}, seed=9)
    assert preset_settings("rome", model) == before


def test_the_seed_goes_to_what_is_sampled_unless_the_settings_name_one(model: LanguageModel):
    def seed(overrides: dict[str, Any]) -> int:
        editor = editor_for("rome", model, overrides, seed=7)
        assert isinstance(editor, Rome)
        return editor.contexts.seed

    assert seed({}) == 7
    assert seed({"contexts": {"seed": 2}}) == 2


UNKNOWN: dict[str, tuple[str, dict[str, Any], str]] = {
    "top": ("ft", {"batchsize": 1}, "batch_size"),
    "layer": ("rome", {"laier": 1}, "layer"),
    "inner": ("rome", {"value": {"stpes": 3}}, "steps"),
    "contexts": ("rome", {"contexts": {"length": []}}, "lengths"),
    "moments": ("rome", {"moments": {"max_token": 3}}, "max_tokens"),
}


@pytest.mark.parametrize("what", UNKNOWN)
def test_an_unknown_setting_is_refused_with_the_nearest(model: LanguageModel, what: str):
    editor, settings, meant = UNKNOWN[what]
    with pytest.raises(UnknownNameError, match=f"did you mean '{meant}'") as told:
        editor_for(editor, model, settings)
    assert f"setting of {editor}" in str(told.value)


WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "text for a number": ("ft", {"lr": "fast"}, r"ft\.lr: got 'fast'"),
    "inner": ("rome", {"value": {"steps": 1.5}}, r"rome\.value\.steps: got 1\.5"),
    "a number for a table": ("rome", {"value": 3}, r"rome\.value"),
    "depth": ("ft", {"depth": "half"}, r"ft\.depth: got 'half'"),
    "no depth": ("ft", {"depth": True}, r"ft\.depth: got True"),
    "one depth": ("memit", {"depths": 0.5}, r"memit\.depths: got 0\.5"),
    "three depths": ("memit", {"depths": [0, 0.5, 1]}, r"memit\.depths: got \[0"),
    "depths upside down": ("memit", {"depths": [0.9, 0.1]}, "expected the lower one first"),
    "depths": ("memit", {"depths": ["a", 1]}, r"memit\.depths: got 'a'"),
    "templates": ("rome", {"contexts": {"templates": [1]}}, r"rome\.contexts\.templates\.0"),
    "contexts": ("rome", {"contexts": 3}, r"rome\.contexts: got 3"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_setting_of_the_wrong_type_is_told(model: LanguageModel, what: str):
    editor, settings, told = WRONG[what]
    with pytest.raises(PitfallsError, match=told) as error:
        editor_for(editor, model, settings)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("editor", ["ft", "rome"])
def test_a_layer_that_the_model_lacks_is_refused(model: LanguageModel, editor: str):
    with pytest.raises(PitfallsError, match=r"layer 4 does not exist: .* layers 0 to 3"):
        editor_for(editor, model, {"layer": 4})
    for key, value in (("layer", -1), ("depth", 1.5), ("depth", -0.5), ("depth", math.nan)):
        with pytest.raises(PitfallsError, match=rf"{editor}\.{key}: got {value}; input should be"):
            editor_for(editor, model, {key: value})


def test_names_of_editors():
    assert EditorName.parse("rome") == EditorName("rome")
    assert EditorName.parse("rome+mle") == EditorName("rome", ("mle",))
    for name in EDITORS:
        assert str(EditorName.parse(f"{name}+mle")) == f"{name}+mle"
    for wrong in ("rmoe", "rome+", "+mle", "rome+mle+mle"):
        with pytest.raises(UnknownNameError, match="unknown editor"):
            EditorName.parse(wrong)


def test_an_unknown_editor_is_refused_with_the_nearest(model: LanguageModel):
    with pytest.raises(UnknownNameError, match="did you mean 'rome'"):
        editor_for("roem", model)


@pytest.mark.parametrize("editor", TRAINED)
def test_an_editor_without_networks_for_the_model_is_refused(editor: str):
    with pytest.raises(PitfallsError, match="pitfalls train"):
        editor_for(editor, tiny_model("gpt2"))


def test_without_names_every_editor_is_taken_that_has_what_it_needs():
    model = tiny_model("llama")
    taken = editors_named(None, model)
    assert [str(name) for name in taken] == [n for n in DEFAULT_EDITORS if n not in TRAINED]
    assert list(map(str, editors_named(("mend", "ft", "mend"), model))) == ["mend", "ft"]


def test_all_is_the_table_as_far_as_the_model_is_ready():
    taken = list(map(str, editors_named(("rome+mle", "all", "ft"), tiny_model("llama"))))
    assert taken == ["rome+mle", *(name for name in EDITORS if name not in TRAINED)]


@pytest.mark.real
def test_the_default_model_comes_with_what_every_editor_needs():
    outline = LanguageModel.outline("smollm2-135m")
    assert tuple(map(str, editors_named(None, outline))) == DEFAULT_EDITORS
