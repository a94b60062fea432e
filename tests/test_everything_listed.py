"""Whatever exists is in its table, says what it is for, and keeps to the house's measures."""

import ast
import importlib
import inspect
import pkgutil
import tomllib
from collections.abc import Iterator
from importlib import resources
from inspect import isabstract
from pathlib import Path
from types import ModuleType

import pytest

import pitfalls
from pitfalls.cases.kinds.table import KINDS
from pitfalls.editors.editor import Editor
from pitfalls.editors.mend.training import NAME as TRAINING
from pitfalls.editors.modifiers import MODIFIERS
from pitfalls.editors.table import EDITORS
from pitfalls.metrics.metric import Metric
from pitfalls.metrics.table import METRICS
from pitfalls.models.architecture import architectures
from pitfalls.rules.mine import JOIN_OF
from pitfalls.rules.rule import Rule
from pitfalls.rules.table import RULE_KINDS
from pitfalls.testing import FAMILIES, tiny_model
from pitfalls.vocabulary import CASE_KINDS, DATASETS, KIND_WORDS, PRESETS

PACKAGE = Path(pitfalls.__file__).parent
FILES_OF_CODE = sorted(PACKAGE.rglob("*.py"))

REPOSITORY = PACKAGE.parents[1]
LONGEST_FILE = 300
LONGEST_FUNCTION = 50


def modules() -> list[ModuleType]:
    found = pkgutil.walk_packages([str(PACKAGE)], "pitfalls.")
    return [pitfalls, *(importlib.import_module(each.name) for each in found)]


def descendants(kind: type) -> set[type]:
    children = set(kind.__subclasses__())
    return children.union(*(descendants(child) for child in children))


def test_every_editor_is_in_the_table() -> None:
    modules()
    ours = {each for each in descendants(Editor) if each.__module__.startswith("pitfalls.editors")}
    wrappers = {each.wrapper for each in MODIFIERS.values() if each.wrapper}
    assert {each for each in ours if not isabstract(each)} == {*EDITORS.values(), *wrappers}


def test_every_editor_has_settings_for_any_model() -> None:
    presets = tomllib.loads(resources.files("pitfalls.data").joinpath("presets.toml").read_text())
    rows = [presets["default"], *presets["model"]]
    assert set(EDITORS) >= set(presets["default"])
    assert {key for row in rows for key in row} <= {*EDITORS, TRAINING, "names"}


def test_every_metric_is_in_the_table() -> None:
    made = [
        value
        for module in modules()
        if module.__name__.startswith("pitfalls.metrics.")
        for value in vars(module).values()
        if isinstance(value, Metric)
    ]
    assert {metric.name for metric in made} == set(METRICS)
    assert all(METRICS[name].name == name for name in METRICS)


def test_every_metric_has_or_declines_every_preset() -> None:
    for metric in METRICS.values():
        assert {*metric.presets, *metric.absent} == set(PRESETS), metric.name
        assert not {*metric.presets} & {*metric.absent}, metric.name


def test_every_kind_of_case_is_in_both_tables() -> None:
    assert list(KINDS) == list(KIND_WORDS) == list(CASE_KINDS)
    assert set(DATASETS.values()) <= set(KINDS)


def test_every_kind_of_the_paper_has_a_recipe_and_a_published_file() -> None:
    assert all(KINDS[kind].recipe and KINDS[kind].released for kind in DATASETS.values())


def test_every_kind_of_rule_is_in_the_table() -> None:
    made = {
        value
        for module in modules()
        if module.__name__.startswith("pitfalls.rules.")
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Rule) and not isabstract(value)
    }
    assert made == set(RULE_KINDS.values())
    assert set(JOIN_OF) <= set(RULE_KINDS)


def test_every_model_family_can_be_made_tiny() -> None:
    made = {tiny_model(family).architecture.name for family in FAMILIES}
    assert made == {row.name for row in architectures()}


def test_every_public_name_can_be_imported() -> None:
    for name in pitfalls.__all__:
        assert inspect.getdoc(getattr(pitfalls, name)), name


def undocumented(tree: ast.Module) -> Iterator[str]:
    """Public classes, functions and methods without a docstring."""
    if not ast.get_docstring(tree):
        yield "the module"
    for holder in [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]:
        private = isinstance(holder, ast.ClassDef) and holder.name.startswith("_")
        for node in () if private else holder.body:
            named = isinstance(node, ast.ClassDef | ast.FunctionDef)
            if named and not node.name.startswith("_") and not ast.get_docstring(node):
                yield node.name


@pytest.mark.parametrize("file", FILES_OF_CODE, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_a_file_keeps_to_the_house_rules(file: Path) -> None:
    text = file.read_text("utf-8")
    tree = ast.parse(text)
    assert list(undocumented(tree)) == []
    assert len(text.splitlines()) <= LONGEST_FILE
    assert "from __future__ import annotations" not in text
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            assert length(node) <= LONGEST_FUNCTION, node.name
            assert node.returns is not None, f"{node.name} does not say what it returns"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "hasattr", f"line {node.lineno}"
            assert node.func.id != "print" or "cli" in file.parts, f"line {node.lineno}"


def length(function: ast.FunctionDef) -> int:
    """Lines of a function, signature and docstring included."""
    return (function.end_lineno or 0) - function.lineno + 1
