"""Models of the Hugging Face hub, fetched once and then read from the hub's cache."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from huggingface_hub import snapshot_download
from huggingface_hub.constants import HF_HUB_CACHE
from huggingface_hub.utils.tqdm import tqdm

from pitfalls.door.text import reason_of
from pitfalls.errors import PitfallsError
from pitfalls.models.sources.downloads import watched
from pitfalls.progress import SILENT, Progress

Snapshot: TypeAlias = Callable[[str, str | None, list[str]], str]
"""Function from repository, revision and file patterns to the local folder of the files."""

SETTINGS = ["*.json", "*.txt", "*.model", "*.jinja"]
WEIGHTS = ("*.safetensors", "*.bin")
"""Weight files in order of preference; many repositories have the same weights in both forms."""


def fetch_snapshot(
    name: str, *, progress: Progress = SILENT, snapshot: Snapshot | None = None
) -> Path:
    """Local folder of the hub model `owner/name`, or `owner/name@revision`.

    A model fetched before is found in the hub's cache without a network.

    Raises:
        PitfallsError: the hub cannot be reached, lacks the model or denies access, or the model has
            no weights in a supported form.
    """
    repository, _, revision = name.partition("@")
    take = snapshot or _download
    cache = cache_of(name)
    for weights in WEIGHTS:
        with (
            progress.stage(f"fetching {name}", None, "B") as advance,
            watched(cache, None, advance),
        ):
            folder = _told(name, take, repository, revision or None, [*SETTINGS, weights])
        if any(folder.glob(weights)):
            return folder
    raise PitfallsError(
        f"{name} on the hub holds neither {' nor '.join(WEIGHTS)} at its top level, expected a "
        "model that transformers can load; a GGUF file can be downloaded and named instead"
    )


def cache_of(name: str) -> Path:
    """Cache folder of the hub's client for `owner/name`, for all revisions."""
    repository, _, _ = name.partition("@")
    return Path(HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}"


def _told(
    name: str, take: Snapshot, repository: str, revision: str | None, patterns: list[str]
) -> Path:
    try:
        return Path(take(repository, revision, patterns))
    except Exception as error:
        # Not found, gated, unreachable, behind a proxy, no disk space: the exception types come
        # from an HTTP client that differs between the hub's versions.
        first = reason_of(str(error).strip().split("\n")[0])
        raise PitfallsError(
            f"cannot get {name} from the hub ({first}): expected a network and a model that you "
            "may read; without one, name a local directory, a GGUF file or a packaged model"
        ) from error


def _download(repository: str, revision: str | None, patterns: list[str]) -> str:
    return snapshot_download(
        repository,
        revision=revision,
        allow_patterns=patterns,
        ignore_patterns=["*/*", "consolidated*"],
        tqdm_class=_NoBar,
    )


class _NoBar(tqdm):
    """Disabled progress bar: the hub's bars would garble ours, which follow the cache's size."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings | {"disable": True})
