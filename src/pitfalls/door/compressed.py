"""Files that may be compressed, read whole or line by line."""

import bz2
import gzip
import zlib
from collections.abc import Iterator
from io import BufferedIOBase, BufferedReader, RawIOBase
from pathlib import Path
from typing import Any, BinaryIO

from pitfalls.door.text import cannot_read
from pitfalls.errors import PitfallsError, needs_extra

_CHUNK = 1 << 17
_DAMAGE = (OSError, EOFError, zlib.error)
"""Exceptions raised when reading a damaged compressed file."""
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_UTF_8_MARK = b"\xef\xbb\xbf"


def open_compressed(path: Path) -> BufferedIOBase:
    """Open a file, decompressed by its suffix: .gz, .bz2 or .zst.

    Raises:
        PitfallsError: it cannot be opened, or the package for .zst is not installed.
    """
    try:
        if path.suffix == ".gz":
            return gzip.open(path)
        if path.suffix == ".bz2":
            return bz2.open(path)
        return _open_zstandard(path) if path.suffix == ".zst" else path.open("rb")
    except (OSError, ValueError) as error:
        raise cannot_read(path, error) from None


def read_compressed(path: Path) -> bytes:
    """Read a file, decompressed by its suffix.

    Raises:
        PitfallsError: it cannot be read or decompressed to its end.
    """
    try:
        with open_compressed(path) as stream:
            return stream.read()
    except _DAMAGE as error:
        raise PitfallsError(f"{path}: is damaged or cut off: {error}") from None


def numbered_bytes(path: Path, *, behind: int = 0) -> Iterator[tuple[int, bytes]]:
    """Numbered lines of a file, with line ends but without a byte order mark.

    Args:
        path: the file, which may be compressed.
        behind: number of lines to skip; the first line has number 1.

    Raises:
        PitfallsError: the file is UTF-16, or cannot be read or decompressed to its end.
    """
    number = 0
    try:
        with open_compressed(path) as stream:
            for number, line in enumerate(stream, start=1):
                if number == 1 and line.startswith(_UTF_16):
                    raise PitfallsError(f"{path}: is UTF-16, expected UTF-8: save it as UTF-8")
                if number > behind:
                    yield number, line.removeprefix(_UTF_8_MARK) if number == 1 else line
    except _DAMAGE as error:
        raise PitfallsError(f"{path}: is damaged after line {number}: {error}") from None


def _open_zstandard(path: Path) -> BufferedIOBase:
    try:
        from zstandard import ZstdDecompressor
    except ImportError:
        raise needs_extra(f"{path}: .zst", "zstandard") from None
    return BufferedReader(_Frames(path.open("rb"), ZstdDecompressor()))


class _Frames(RawIOBase):
    """Decompressed stream of a .zst file. zstandard's own reader does not notice a truncated file.

    Args:
        file: closed with this stream.
        decompressor: a `ZstdDecompressor`.
    """

    def __init__(self, file: BinaryIO, decompressor: Any) -> None:
        self._file = file
        self._decompressor = decompressor
        self._frame: Any = None
        self._ready = b""

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as possible and return the number of bytes; 0 at the end."""
        while not self._ready and (read := self._file.read(_CHUNK)):
            self._decompress(read)
        if not self._ready and self._frame is not None:
            raise EOFError("it ends in the middle")
        size = min(len(buffer), len(self._ready))
        buffer[:size], self._ready = self._ready[:size], self._ready[size:]
        return size

    def close(self) -> None:
        """Close the file as well."""
        self._file.close()
        super().close()

    def _decompress(self, read: bytes) -> None:
        from zstandard import ZstdError

        found = []
        while read:
            self._frame = self._frame or self._decompressor.decompressobj()
            try:
                found.append(self._frame.decompress(read))
            except ZstdError as error:
                raise OSError(str(error)) from None
            read = b""
            if self._frame.eof:
                read, self._frame = self._frame.unused_data, None
        self._ready = b"".join(found)
