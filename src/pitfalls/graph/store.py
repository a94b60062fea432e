"""A graph on disk: Parquet tables that a graph in memory is cut from, or queries run on.

`tables.py` says what the tables hold, `store.json` how they came about. `relations.toml` may lie
beside them, with prompts.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from pitfalls.door.parquet import outline, read_table, verify
from pitfalls.errors import PitfallsError
from pitfalls.facts import Entity
from pitfalls.graph.folder import WORDINGS, wordings_for
from pitfalls.graph.graph import Graph, Node, Predicate, Triple
from pitfalls.graph.lines import BadLines
from pitfalls.graph.note import Note, read_note
from pitfalls.graph.parts import settled, worded
from pitfalls.graph.span import Span

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
_AGAIN = "make the store again"


@dataclass(frozen=True)
class Store:
    """A store that is complete."""

    folder: Path
    note: Note
    bad: BadLines
    """What of its source had to be left out, and relations that have no prompts."""
    relations: tuple[str, ...]
    """Number in the facts → id."""
    predicates: Mapping[str, Predicate]
    """All relations that have prompts, by id."""

    @classmethod
    def open(cls, folder: Path) -> "Store":
        """The store in a folder.

        Raises:
            PitfallsError: it is not complete, or damaged.
        """
        note = read_note(folder)
        if note.stage != "done":
            raise PitfallsError(
                f"{folder}: the store is not complete; the command that began it goes on"
            )
        _check_tables(folder, note)
        bad = note.bad_lines
        names = {id: label for _, id, label in _rows(folder, "relations")}
        aliases = _aliases(folder, names)
        named = {id: (label, aliases.get(id, ())) for id, label in names.items()}
        return cls(folder, note, bad, tuple(names), worded(named, wordings_for(folder), bad))

    def verify(self) -> None:
        """Read all tables to their ends, which opening does not.

        Raises:
            PitfallsError: one of them is damaged.
        """
        for table in TABLES:
            verify(self.folder / f"{table}.parquet", advice=_AGAIN)

    @property
    def files(self) -> tuple[Path, ...]:
        """All that decides what is made of the store; the prompts may be missing."""
        return (*(self.folder / f"{name}.parquet" for name in TABLES), self.folder / WORDINGS)

    @property
    def facts(self) -> Path:
        """The table of facts, for queries."""
        return self.folder / "facts.parquet"

    def graph(self, relations: Collection[str] | None = None) -> Graph:
        """The facts of some relations as a graph in memory, which takes about 1.2 KB a fact.

        Args:
            relations: ids; those that the store does not know are passed over. None: all.

        Returns:
            A graph with all predicates of the store, and the entities of these facts. What they
            are and how they are called is the same whichever relations are chosen.

        Raises:
            PitfallsError: a table is missing or damaged.
        """
        wanted = self.predicates.keys() & (self.predicates if relations is None else relations)
        numbers = {self.relations.index(id) for id in wanted}
        facts = list(_rows(self.folder, "facts", relation=numbers))
        ends = {end for subject, _, object, *_ in facts for end in (subject, object)}
        nodes = dict(self._nodes(ends))
        spans: dict[Triple, list[Span]] = {}
        for subject, relation, object, *times in facts:
            one, other = nodes[subject].entity.id, nodes[object].entity.id
            triple = one, self.relations[relation], other
            spans.setdefault(triple, []).append(Span.of_numbers(*times))
        return Graph(nodes.values(), self.predicates.values(), *settled(spans))

    def _nodes(self, numbers: Collection[int]) -> Iterator[tuple[int, Node]]:
        entities = list(_rows(self.folder, "entities", number=numbers))
        aliases = _aliases(self.folder, {id for _, id, *_ in entities})
        for number, id, label, type in entities:
            yield number, Node(Entity(id, label), type, tuple(sorted(aliases.get(id, ()))))


def _check_tables(folder: Path, note: Note) -> None:
    """Refuse a store whose tables are not those that its note tells of."""
    told = {table: outline(folder / f"{table}.parquet", advice=_AGAIN) for table in TABLES}
    facts, names = told["facts"], {"entities": note.entities, "relations": note.relations}
    for table, columns in TABLES.items():
        if told[table].columns != columns:
            came, expected = ", ".join(told[table].columns), ", ".join(columns)
            fault = f"has the columns {came}, or some of another type, expected {expected}"
        elif table in names and told[table].rows != names[table]:
            fault = f"has {told[table].rows} rows, expected {names[table]}"
        else:
            continue
        raise PitfallsError(f"{folder / table}.parquet: {fault}; {_AGAIN}")
    ends = {"subject": "entities", "object": "entities", "relation": "relations"}
    # A fact that held several times has several rows.
    if facts.rows < note.facts or any(
        facts.highest.get(column, -1) >= names[table] for column, table in ends.items()
    ):
        raise PitfallsError(
            f"{folder / 'facts'}.parquet: does not hold the facts of this store; {_AGAIN}"
        )


def _aliases(folder: Path, ids: Collection[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for id, alias in _rows(folder, "aliases", id=ids):
        found.setdefault(id, []).append(alias)
    return found


def _rows(
    folder: Path, table: str, **wanted: Collection[int] | Collection[str]
) -> Iterator[tuple[Any, ...]]:
    """The rows of a table, those in which a column has one of the wanted values."""
    path = folder / f"{table}.parquet"
    chosen = [(column, "in", set(values)) for column, values in wanted.items()]
    found = read_table(path, filters=chosen or None, advice=_AGAIN)
    for batch in found.to_batches():
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
