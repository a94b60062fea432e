"""Last steps in making a store: its tables and the prompts of its relations."""

from pitfalls.graph.store import relation_names
from pitfalls.graph.tables import make_tables
from pitfalls.graph.worded import write_wordings
from pitfalls.graph.writer import StoreWriter
from pitfalls.progress import SILENT, Progress


def finish_store(
    writer: StoreWriter, *, memory: int | None = None, progress: Progress = SILENT
) -> None:
    """Make the tables of a store, unless they exist, and write the prompts of its relations.

    Args:
        writer: the writer of its parts.
        memory: limit of DuckDB in bytes; None: a share of the free memory.
        progress: notified of every step.

    Raises:
        PitfallsError: DuckDB is not installed, there are no facts, memory or disk run out, or the
            `relations.toml` in the folder is damaged.
    """
    if writer.note.stage == "read":
        make_tables(writer, memory=memory, progress=progress)
    write_wordings(writer.folder, relation_names(writer.folder))
