"""Shared by all tests: tiny models in memory, and a cache of their own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from pitfalls.models.language_model import LanguageModel
from pitfalls.models.reading.moments import MomentSettings
from pitfalls.testing import FAMILIES, TEXT, snapshot, tiny_model, unchanged

torch.set_num_threads(1)  # tiny models are slower on many

if "PITFALLS_PRETEND" not in os.environ:
    collect_ignore = ["accelerator"]  # a process of their own runs these

settings.register_profile("steady", derandomize=True)
settings.load_profile("steady")  # a change must pass the same examples every time


@pytest.fixture(scope="session", autouse=True)
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str | None]:
    """Cache for fixtures wider than one test, apart from the user's cache."""
    users = os.environ.get("PITFALLS_CACHE")
    os.environ["PITFALLS_CACHE"] = str(tmp_path_factory.mktemp("shared-cache"))
    yield users
    if users is None:
        del os.environ["PITFALLS_CACHE"]
    else:
        os.environ["PITFALLS_CACHE"] = users


@pytest.fixture(autouse=True)
def own_cache(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    shared_cache: str | None,
) -> None:
    """Separate cache for every test; `real` tests use the user's cache."""
    if "real" not in request.keywords:
        monkeypatch.setenv("PITFALLS_CACHE", str(tmp_path_factory.mktemp("cache")))
    elif shared_cache is None:
        monkeypatch.delenv("PITFALLS_CACHE")
    else:
        monkeypatch.setenv("PITFALLS_CACHE", shared_cache)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test of `model` runs for every family, or for those that `families` marks it with."""
    marks = metafunc.definition.iter_markers("parametrize")
    named = any("family" in mark.args[0] for mark in marks)
    if "family" in metafunc.fixturenames and not named:
        mark = metafunc.definition.get_closest_marker("families")
        metafunc.parametrize(
            "family", mark.args[0] if mark else list(FAMILIES), indirect=True, scope="session"
        )


@pytest.fixture(scope="session")
def family(request: pytest.FixtureRequest) -> str:
    """Family of `model`."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def model(family: str) -> Iterator[LanguageModel]:
    """A tiny model of every family; no test may leave it changed."""
    made = tiny_model(family)
    before = snapshot(made)
    yield made
    assert unchanged(made, before)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Qwen2 as a directory, for code that loads models by name."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    made = tiny_model("qwen2")
    made.network.save_pretrained(folder)
    made.tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def moments(tmp_path_factory: pytest.TempPathFactory) -> MomentSettings:
    """Second moments from a text of a thousand tokens."""
    file = tmp_path_factory.mktemp("text") / "corpus.txt"
    words = TEXT.split()
    texts = [" ".join(words[i % 40 :] + words[: 10 + i]) for i in range(12)]
    file.write_text("\n\n".join(texts), encoding="utf-8")
    return MomentSettings(corpus=str(file), tolerance=0.0)
