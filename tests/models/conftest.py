"""Shared by the tests of models: the cache of a test."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def cache(own_cache: None) -> Path:
    """The cache folder of this test; the first write makes it."""
    return Path(os.environ["PITFALLS_CACHE"])
