"""Conversion of parts into the tables of a store by DuckDB, which spills to disk when memory fills.

    facts.parquet      subject, relation, object, start, end    sorted by relation and subject
    entities.parquet   number, id, label, type                  entities of the facts, by id
    relations.parquet  number, id, label                        relations of the facts, by id
    aliases.parquet    id, alias                                of both, by id, in source order

Facts refer to entities and relations by number, which is smaller and faster to join than an id.
Start and end are days, 19520307 for the 7th of March 1952, or null if unknown; a fact that held
several times has a row for each. An entity's type is the label of the most frequent of its types.
Equal parts give equal bytes.

DuckDB spills groups to disk only if their state has a fixed size. So the first of several texts is
found by its place, which is a number, and then joined. A statement joins or sorts large texts once,
since all hash tables of one statement are in memory at the same time.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from pitfalls.disk import make_folder
from pitfalls.errors import PitfallsError, needs_extra
from pitfalls.graph.duck import QUIET, duckdb_options, shortage
from pitfalls.graph.lines import SHOWN, BadLines
from pitfalls.graph.parts import no_facts
from pitfalls.graph.writer import PARTS, SCHEMAS, StoreWriter, remove_parts
from pitfalls.progress import SILENT, Progress

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
else:  # imported only when a store is made
    DuckDBPyConnection: TypeAlias = object

GROUP = 100_000
"""Rows of a row group, which a reader loads at once."""
WORK = "work"

_STEPS = {
    "finding names": """
        CREATE TABLE ends AS
            SELECT subject AS id FROM facts UNION SELECT object FROM facts;
        CREATE TABLE typed AS
            SELECT DISTINCT id, type FROM types SEMI JOIN ends USING (id);
        CREATE TABLE wanted AS
            SELECT id FROM ends UNION SELECT type FROM typed UNION SELECT relation FROM facts;
        CREATE TABLE told AS
            SELECT id, label, min(place) AS place
            FROM names SEMI JOIN wanted USING (id) GROUP BY id, label;
        CREATE TABLE firsts AS
            SELECT id, min(place) AS place, count(*) AS labels FROM told GROUP BY id;
        CREATE TABLE named AS
            SELECT (row_number() OVER ())::INTEGER AS key, id, labels, label
            FROM told JOIN firsts USING (id, place);
        DROP TABLE told; DROP TABLE firsts;
    """,
    "sorting facts": """
        CREATE TABLE begun AS
            SELECT one.key AS subject, relation, object, start, "end"
            FROM facts JOIN named AS one ON subject = one.id;
        CREATE TABLE ended AS
            SELECT subject, relation, other.key AS object, start, "end"
            FROM begun JOIN named AS other ON object = other.id;
        CREATE TABLE kept AS SELECT DISTINCT * FROM ended;
        DROP TABLE ended;
        CREATE TABLE used AS
            SELECT id FROM named
            SEMI JOIN (SELECT subject AS key FROM kept UNION SELECT object FROM kept) USING (key);
    """,
    "sorting entities": """
        CREATE TABLE sizes AS
            SELECT type, row_number() OVER (ORDER BY count(*) DESC, type) AS rank
            FROM typed SEMI JOIN used USING (id) GROUP BY type;
        CREATE TABLE sorted_out AS
            SELECT id, type FROM sizes
            JOIN (SELECT id, min(rank) AS rank FROM typed JOIN sizes USING (type) GROUP BY id)
            USING (rank);
        CREATE TABLE entities AS
            SELECT (row_number() OVER (ORDER BY id) - 1)::INTEGER AS number, id FROM used;
        CREATE TABLE numbers AS SELECT key, number FROM named JOIN entities USING (id);
        CREATE TABLE relations AS
            SELECT (row_number() OVER (ORDER BY id) - 1)::INTEGER AS number, id
            FROM (SELECT DISTINCT relation AS id FROM kept);
    """,
}
_TABLES = {
    "facts": """
        SELECT s.number AS subject, r.number AS relation, o.number AS object, start, "end"
        FROM kept JOIN numbers AS s ON subject = s.key JOIN relations AS r ON relation = r.id
        JOIN numbers AS o ON object = o.key
        ORDER BY r.number, s.number, o.number, start, "end"
    """,
    "entities": """
        SELECT number, entities.id, one.label, coalesce(other.label, type, '') AS type
        FROM entities JOIN named AS one ON entities.id = one.id
        LEFT JOIN sorted_out ON entities.id = sorted_out.id
        LEFT JOIN named AS other ON sorted_out.type = other.id
        ORDER BY number
    """,
    "relations": """
        SELECT number, relations.id, coalesce(label, '') AS label
        FROM relations LEFT JOIN named ON relations.id = named.id ORDER BY number
    """,
    "aliases": """
        SELECT id, alias FROM aliases
        SEMI JOIN (SELECT id FROM entities UNION SELECT id FROM relations) AS told USING (id)
        GROUP BY id, alias ORDER BY id, min(place)
    """,
}
_PLACED = """
    SELECT *, parse_filename(filename, true)::BIGINT << 32 | file_row_number AS place
    FROM read_parquet({files}, filename = true, file_row_number = true)
"""
"""Rows of parts, each with its place in the source: the number of its part, and its row there."""
_TRIPLES = "SELECT count(*) FROM (SELECT DISTINCT subject, relation, object FROM kept)"
_LEFT_OUT = {
    "the subject has no label": "SELECT subject FROM facts ANTI JOIN named ON subject = named.id",
    "the object has no label": "SELECT object FROM begun ANTI JOIN named ON object = named.id",
    "a second label for the same id": "SELECT id FROM named WHERE labels > 1",
}


def make_tables(
    writer: StoreWriter, *, memory: int | None = None, progress: Progress = SILENT
) -> None:
    """Make the tables of a store whose source was read, and delete the parts.

    Args:
        writer: the writer of the parts.
        memory: limit of DuckDB in bytes; None: a share of the free memory.
        progress: notified of every step.

    Raises:
        PitfallsError: DuckDB is not installed, there are no facts, or memory or disk run out.
    """
    folder, note = writer.folder, writer.note
    with (
        _work(folder, memory) as work,
        progress.stage("making tables", len(_STEPS), "steps") as advance,
    ):
        for step in _STEPS.values():
            work.execute(step)
            advance(1)
        for reason, rows in _LEFT_OUT.items():
            _leave_out(work, reason, rows, writer.bad)
        ((facts,),) = work.execute(_TRIPLES).fetchall()
        if not facts:
            raise no_facts(writer.bad)
        for name, query in _TABLES.items():
            _write(work, query, folder / f"{name}.parquet")
    sizes = {name: _length(folder / f"{name}.parquet") for name in ("entities", "relations")}
    writer.note = note.model_copy(update={"facts": facts} | sizes)
    writer.keep(lines=note.lines, stage="done")
    remove_parts(folder)


def ends_in_batches(writer: StoreWriter, size: int) -> Iterator[list[str]]:
    """Ids of the subjects and objects in the parts, sorted, `size` at a time.

    Raises:
        PitfallsError: DuckDB is not installed.
    """
    query = "SELECT subject FROM facts UNION SELECT object FROM facts ORDER BY ALL"
    with _work(writer.folder) as work:
        found = work.execute(query)
        while rows := found.fetchmany(size):
            yield [id for (id,) in rows]


@contextmanager
def _work(folder: Path, memory: int | None = None) -> Iterator[DuckDBPyConnection]:
    """Open a database beside the parts, with a view of each kind of part.

    Raises:
        PitfallsError: DuckDB is not installed, a part is damaged, or memory or disk run out.
    """
    try:
        import duckdb
    except ImportError:
        raise needs_extra(f"{folder}: making a store", "DuckDB") from None
    place = folder / PARTS / WORK
    shutil.rmtree(place, ignore_errors=True)
    make_folder(place)
    options = duckdb_options(place / "spilled", memory)
    try:
        with duckdb.connect(str(place / "tables.duckdb"), config=options) as work:
            work.execute(QUIET)
            for name in SCHEMAS:
                files = _text(folder / PARTS / name / "*.parquet")
                work.execute(f"CREATE TEMP VIEW {name} AS {_PLACED.format(files=files)}")
            yield work
    except (duckdb.Error, OSError, pa.ArrowException) as error:
        raise PitfallsError(
            f"{folder}: the tables cannot be made: {shortage(error)}; the same command then resumes"
        ) from None


def _leave_out(work: DuckDBPyConnection, reason: str, rows: str, bad: BadLines) -> None:
    ((count,),) = work.execute(f"SELECT count(*) FROM ({rows})").fetchall()
    if count:
        first = work.execute(f"SELECT DISTINCT * FROM ({rows}) ORDER BY ALL LIMIT {SHOWN}")
        bad.counts[reason] += count
        bad.examples.setdefault(reason, []).extend(id for (id,) in first.fetchall())


def _write(work: DuckDBPyConnection, query: str, path: Path) -> None:
    """Write the rows with pyarrow, one row group at a time.

    The bytes that DuckDB writes depend on the order of its input, not on the rows alone.
    """
    begun = path.parent / PARTS / WORK / path.name
    rows = work.sql(query).to_arrow_reader(GROUP)
    with pq.ParquetWriter(begun, rows.schema, compression="zstd") as out:
        for group in _groups(rows):
            out.write_table(group, row_group_size=GROUP)
    begun.replace(path)


def _groups(rows: pa.RecordBatchReader) -> Iterator[pa.Table]:
    """Tables of `GROUP` rows; the last may have fewer."""
    waiting = rows.schema.empty_table()
    for batch in rows:
        waiting = pa.concat_tables([waiting, pa.Table.from_batches([batch])])
        while waiting.num_rows >= GROUP:
            yield waiting.slice(0, GROUP).combine_chunks()
            waiting = waiting.slice(GROUP)
    yield waiting.combine_chunks()


def _length(path: Path) -> int:
    return int(pq.ParquetFile(path).metadata.num_rows)


def _text(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
