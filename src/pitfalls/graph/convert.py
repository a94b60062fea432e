"""Conversion of a folder of triples and labels, of any size, into a store."""

import shutil
from pathlib import Path

from pitfalls.door.paths import is_file, is_folder
from pitfalls.errors import PitfallsError
from pitfalls.graph.finish import finish_store
from pitfalls.graph.folder import graph_files, read_tables
from pitfalls.graph.lines import BadLines
from pitfalls.graph.note import Wanted
from pitfalls.graph.relations_file import WORDINGS
from pitfalls.graph.worded import wordings_for
from pitfalls.graph.writer import StoreWriter
from pitfalls.progress import SILENT, Progress


def convert_folder(
    folder: Path,
    out: Path,
    *,
    language: str = "en",
    memory: int | None = None,
    progress: Progress = SILENT,
) -> BadLines:
    """Write the store and return the lines left out. An unfinished store is started over.

    Args:
        folder: a folder as `read_folder` takes it.
        out: the folder of the store.
        language: language of the labels in N-Triples.
        memory: limit of DuckDB in bytes; None: a share of the free memory.
        progress: notified of every file.

    Raises:
        PitfallsError: a file is missing, damaged or lacks a column, no fact is left, or DuckDB is
            not installed.
    """
    if not is_folder(folder):
        raise PitfallsError(f"{folder}: no such folder, expected one of triples and labels")
    if out.resolve() == folder.resolve():
        raise PitfallsError(f"--out {out} is the folder that is read; give another one")
    wordings_for(folder)  # refuses bad prompts before anything is written
    files = [f"{path.name} {path.stat().st_size}" for path in graph_files(folder).values()]
    wish: Wanted = {"files": files, "language": language}
    writer = StoreWriter.begin(out, wish, resume=False)
    if is_file(folder / WORDINGS):
        shutil.copyfile(folder / WORDINGS, out / WORDINGS)
    if writer.note.stage == "reading":
        read_tables(folder, writer, language=language, progress=progress)
        writer.keep(stage="read")
    finish_store(writer, memory=memory, progress=progress)
    return writer.bad
