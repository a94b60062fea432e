import os
from pathlib import Path

import pytest

from pitfalls.cases.case import Case
from pitfalls.cases.released import prompts_file, read_released, released_files
from pitfalls.vocabulary import CaseKind

SHARED = Path(os.environ.get("PITFALLS_SHARED", Path(__file__).parents[2] / ".." / "shared"))


@pytest.fixture(scope="session")
def released() -> Path:
    """The authors' published files, as a folder with GPT-J and GPT2-XL in it."""
    folder = SHARED / "data" / "released"
    if not folder.is_dir():
        pytest.skip(f"the authors' files are not in {folder}; PITFALLS_SHARED names another place")
    return folder


@pytest.fixture(scope="session")
def published(released: Path) -> dict[tuple[str, CaseKind], list[Case]]:
    """Every case that the authors published, by model and kind; read once, it takes a while."""
    return {
        (model, kind): read_released(
            released / model / name, kind, prompts=released / model / prompts_file(kind)
        )
        for model in ("GPT-J", "GPT2-XL")
        for kind, name in released_files().items()
    }


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of its own for one test."""
    monkeypatch.setenv("PITFALLS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
