"""Graph on disk: Parquet tables to query, or to load a part of into memory.

`tables.py` describes the tables, `store.json` their origin. A `relations.toml` with prompts may
lie beside them.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from pitfalls.door.parquet import outline, verify
from pitfalls.errors import PitfallsError
from pitfalls.facts import Entity
from pitfalls.graph.graph import Counts, Graph, Node, Predicate, Role, Triple
from pitfalls.graph.lines import BadLines
from pitfalls.graph.note import Note, read_note
from pitfalls.graph.parts import settled
from pitfalls.graph.relations_file import WORDINGS
from pitfalls.graph.select import ADVICE, Select, read_selected
from pitfalls.graph.span import Span
from pitfalls.graph.worded import Named, worded, wordings_for

_NUMBER, _DAY, _TEXT = pa.int32(), pa.int64(), pa.string()
TABLES: Mapping[str, Mapping[str, pa.DataType]] = {
    "facts": {
        **dict.fromkeys(("subject", "relation", "object"), _NUMBER),
        **dict.fromkeys(("start", "end"), _DAY),
    },
    "entities": {"number": _NUMBER, "id": _TEXT, "label": _TEXT, "type": _TEXT},
    "relations": {"number": _NUMBER, "id": _TEXT, "label": _TEXT},
    "aliases": {"id": _TEXT, "alias": _TEXT},
}
"""Table → its columns."""


@dataclass(frozen=True)
class Store:
    """A complete store."""

    folder: Path
    note: Note
    bad: BadLines
    """Lines left out of its source, and relations that have no prompts."""
    relations: tuple[str, ...]
    """Number in the facts → id."""
    predicates: Mapping[str, Predicate]
    """All relations that have prompts, by id."""

    @classmethod
    def open(cls, folder: Path) -> "Store":
        """Open the store in a folder.

        Raises:
            PitfallsError: it is incomplete or damaged.
        """
        note = read_note(folder)
        if note.stage != "done":
            raise PitfallsError(
                f"{folder}: the store is not complete; run the command that started it again"
            )
        _check_tables(folder, note)
        bad = note.bad_lines
        named = relation_names(folder)
        return cls(folder, note, bad, tuple(named), worded(named, wordings_for(folder), bad))

    def verify(self) -> None:
        """Read all tables to their ends, which `open` does not.

        Raises:
            PitfallsError: a table is damaged.
        """
        for table in TABLES:
            verify(self.folder / f"{table}.parquet", advice=ADVICE)

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that determine the graph; the prompts may be missing."""
        return (*(self.folder / f"{name}.parquet" for name in TABLES), self.folder / WORDINGS)

    @property
    def facts(self) -> Path:
        """Path of the table of facts, for queries."""
        return self.folder / "facts.parquet"

    def graph(
        self, relations: Collection[str] | None = None, *, select: Select = read_selected
    ) -> Graph:
        """Load the facts of some relations; this takes about 1.2 KB of memory per fact.

        Args:
            relations: ids; unknown ones are ignored. None: all.
            select: reads rows of the tables.

        Returns:
            A graph with all predicates of the store and the entities of these facts. Types and
            names of the entities do not depend on the choice of relations.

        Raises:
            PitfallsError: a table is missing or damaged.
        """
        wanted = self.predicates.keys() & (self.predicates if relations is None else relations)
        numbers = {self.relations.index(id) for id in wanted}
        facts = list(_rows(self.folder, "facts", select=select, relation=numbers))
        ends = {end for subject, _, object, *_ in facts for end in (subject, object)}
        nodes = dict(self._nodes(ends, select))
        spans: dict[Triple, list[Span]] = {}
        for subject, relation, object, *times in facts:
            one, other = nodes[subject].entity.id, nodes[object].entity.id
            triple = one, self.relations[relation], other
            spans.setdefault(triple, []).append(Span.of_numbers(*times))
        typed = all(node.type for node in nodes.values())
        counted = self._roles(() if typed or relations is None else nodes, select)
        roles = {nodes[number].entity.id: counts for number, counts in counted.items()}
        return Graph(nodes.values(), self.predicates.values(), *settled(spans), roles=roles)

    def labels(self, numbers: Collection[int]) -> dict[int, str]:
        """Labels of some entities, by number.

        Raises:
            PitfallsError: a table is missing or damaged.
        """
        return dict(_rows(self.folder, "entities", ["number", "label"], number=numbers))

    @property
    def typed(self) -> int:
        """Number of entities that have a type.

        Raises:
            PitfallsError: a table is missing or damaged.
        """
        types = _table(self.folder, "entities", ["type"])["type"]
        return int(pc.sum(pc.greater(pc.utf8_length(types), 0)).as_py() or 0)

    def _roles(self, numbers: Collection[int], select: Select) -> Mapping[int, Counts]:
        """Roles of some entities in all facts whose relations have prompts."""
        found: dict[int, Counter[Role]] = {number: Counter() for number in numbers}
        if not numbers:
            return found
        ends: tuple[Literal["subject", "object"], ...] = ("subject", "object")
        columns = ["subject", "relation", "object"]
        for end in ends:
            facts = _table(self.folder, "facts", columns, select, **{end: numbers})
            chosen = facts.group_by(columns).aggregate([])
            counts = chosen.group_by([end, "relation"]).aggregate([([], "count_all")])
            for number, relation, count in zip(*counts.to_pydict().values(), strict=True):
                if (id := self.relations[relation]) in self.predicates:
                    found[number][id, end] += count
        return found

    def _nodes(self, numbers: Collection[int], select: Select) -> Iterator[tuple[int, Node]]:
        entities = list(_rows(self.folder, "entities", select=select, number=numbers))
        aliases = _aliases(self.folder, {id for _, id, *_ in entities}, select)
        for number, id, label, type in entities:
            yield number, Node(Entity(id, label), type, tuple(sorted(aliases.get(id, ()))))


def _check_tables(folder: Path, note: Note) -> None:
    """Refuse a store whose tables do not match its note."""
    told = {table: outline(folder / f"{table}.parquet", advice=ADVICE) for table in TABLES}
    facts, names = told["facts"], {"entities": note.entities, "relations": note.relations}
    for table, columns in TABLES.items():
        if told[table].columns != columns:
            came, expected = ", ".join(told[table].columns), ", ".join(columns)
            fault = f"has the columns {came}, or some of another type, expected {expected}"
        elif table in names and told[table].rows != names[table]:
            fault = f"has {told[table].rows} rows, expected {names[table]}"
        else:
            continue
        raise PitfallsError(f"{folder / table}.parquet: {fault}; {ADVICE}")
    ends = {"subject": "entities", "object": "entities", "relation": "relations"}
    # A fact that held several times has several rows.
    if facts.rows < note.facts or any(
        facts.highest.get(column, -1) >= names[table] for column, table in ends.items()
    ):
        raise PitfallsError(
            f"{folder / 'facts'}.parquet: does not match the note of this store; {ADVICE}"
        )


def relation_names(folder: Path) -> Named:
    """Labels and aliases of a store's relations, in the order of their numbers.

    Raises:
        PitfallsError: a table is missing or damaged.
    """
    labels = {id: label for _, id, label in _rows(folder, "relations")}
    aliases = _aliases(folder, labels)
    return {id: (label, aliases.get(id, ())) for id, label in labels.items()}


def _aliases(
    folder: Path, ids: Collection[str], select: Select = read_selected
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for id, alias in _rows(folder, "aliases", select=select, id=ids):
        found.setdefault(id, []).append(alias)
    return found


def _rows(
    folder: Path,
    table: str,
    columns: Sequence[str] | None = None,
    select: Select = read_selected,
    **wanted: Collection[int] | Collection[str],
) -> Iterator[tuple[Any, ...]]:
    """Rows of a table in which each given column has one of the wanted values."""
    for batch in _table(folder, table, columns, select, **wanted).to_batches():
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _table(
    folder: Path,
    table: str,
    columns: Sequence[str] | None = None,
    select: Select = read_selected,
    **wanted: Collection[int] | Collection[str],
) -> pa.Table:
    if not all(wanted.values()):  # Arrow cannot infer the type of an empty set
        every = pa.schema(list(TABLES[table].items())).empty_table()
        return every.select(columns or every.column_names)
    return select(folder / f"{table}.parquet", columns or list(TABLES[table]), wanted)
