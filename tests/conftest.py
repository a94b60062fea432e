"""Shared by all tests: tiny models in memory, and a cache of their own."""

from collections.abc import Iterator

import pytest
import torch

from pitfalls.models.language_model import LanguageModel
from pitfalls.models.moments import MomentSettings
from pitfalls.testing import FAMILIES, TEXT, snapshot, tiny_model, unchanged

torch.set_num_threads(1)  # tiny models are slower on many


@pytest.fixture(autouse=True)
def own_cache(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Nothing that a test caches is seen by another, or by the user."""
    if "real" not in request.keywords:
        monkeypatch.setenv("PITFALLS_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="session", params=FAMILIES)
def model(request: pytest.FixtureRequest) -> Iterator[LanguageModel]:
    """A tiny model of every family, which no test may leave changed."""
    made = tiny_model(request.param)
    before = snapshot(made)
    yield made
    assert unchanged(made, before)


@pytest.fixture(scope="session")
def moments(tmp_path_factory: pytest.TempPathFactory) -> MomentSettings:
    """Second moments from a text of a thousand tokens."""
    file = tmp_path_factory.mktemp("text") / "corpus.txt"
    words = TEXT.split()
    texts = [" ".join(words[i % 40 :] + words[: 10 + i]) for i in range(12)]
    file.write_text("\n\n".join(texts), encoding="utf-8")
    return MomentSettings(corpus=str(file), tolerance=0.0)
