"""The last steps of every store: its tables, and the words of its relations."""

from pitfalls.graph.store import relation_names
from pitfalls.graph.tables import make_tables
from pitfalls.graph.worded import write_wordings
from pitfalls.graph.writer import StoreWriter
from pitfalls.progress import SILENT, Progress


def finish_store(writer: StoreWriter, *, progress: Progress = SILENT) -> None:
    """Make the tables of a store whose source was read, unless it has them, and word its relations.

    Raises:
        PitfallsError: DuckDB is not installed, there is not a single fact, or a `relations.toml`
            that lay there is damaged.
    """
    if writer.note.stage == "read":
        make_tables(writer, progress=progress)
    write_wordings(writer.folder, relation_names(writer.folder))
