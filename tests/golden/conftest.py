"""The folder of golden numbers. Tests take everything from it: models, files, expected values.

`PITFALLS_GOLDEN` names it; any other folder of the same format must pass unchanged. A test that
asks for `golden_model` runs once for each of its models.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from goldens import golden_search_rows

from pitfalls.editors.insertion import multi_label

REPOSITORY = Path(__file__).parents[2]


def golden_folder() -> Path:
    default = REPOSITORY.parent / "shared" / "golden" / "open"
    return Path(os.environ.get("PITFALLS_GOLDEN", default)).resolve()


def parametrize_folders(metafunc: pytest.Metafunc, name: str, folders: list[Path]) -> None:
    root = golden_folder()
    reason = f"no golden numbers in {root}: set PITFALLS_GOLDEN to their folder"
    absent = [pytest.param(None, marks=pytest.mark.skip(reason=reason), id="absent")]
    present = [pytest.param(folder, id=str(folder.relative_to(root))) for folder in folders]
    metafunc.parametrize(name, present or absent, scope="session")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "golden_model" in metafunc.fixturenames:
        models = sorted(path.parent for path in golden_folder().glob("*/model"))
        parametrize_folders(metafunc, "golden_model", models)
    if "golden_summary" in metafunc.fixturenames:
        found = sorted(
            path.parent for path in golden_folder().glob("summarize_synthetic/*/expected.json")
        )
        parametrize_folders(metafunc, "golden_summary", found)


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder itself."""
    if not (folder := golden_folder()).is_dir():
        pytest.skip(f"no golden numbers in {folder}: set PITFALLS_GOLDEN to their folder")
    return folder


@pytest.fixture(scope="module", autouse=True)
def labels_where_the_authors_have_them() -> Iterator[None]:
    """Our rows are right where a target's last token cuts a character in half; theirs are not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(multi_label, "search_rows", golden_search_rows)
        yield
