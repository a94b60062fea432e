"""Reader and writer of `relations.toml`: relations, their prompts and expectations of facts."""

import json
from collections import Counter
from collections.abc import Iterable

from pitfalls.door.text import Source
from pitfalls.door.values import read_toml
from pitfalls.errors import PitfallsError
from pitfalls.facts import Relation
from pitfalls.graph.graph import Predicate, Wording
from pitfalls.graph.properties import properties
from pitfalls.shapes import Name, Shape, Template, check

WORDINGS = "relations.toml"

HEADER = """\
# The program wrote the prompts of these relations. `wording` names their origin: `table` is the
# table of Wikidata properties, `draft` was made from the label, and `unsure` is a draft that may
# not be English. After writing a better prompt and paraphrases, delete the line `wording`.
"""


class _Row(Shape):
    id: Name
    label: Name
    prompt: Template
    query: str
    paraphrases: list[Template]
    wording: Wording = "written"
    many: bool | None = None
    subject_type: str = ""
    object_type: str = ""

    def predicate(self) -> Predicate:
        relation = Relation(self.id, self.label, self.prompt, tuple(self.paraphrases), self.query)
        types = tuple(self.subject_type.split()), tuple(self.object_type.split())
        known = properties().get(self.id)
        inverse = known.inverse if known else ()
        return Predicate(relation, self.many, *types, inverse, self.wording)


class _Table(Shape):
    relation: list[_Row]


def read_predicates(path: Source) -> list[Predicate]:
    """Read relations and their prompts from a file like the packaged `relations.toml`.

    Raises:
        PitfallsError: the file is unreadable or malformed; the line names the file and the fault.
    """
    rows = check(_Table, read_toml(path), where=str(path)).relation
    counts = Counter(row.id for row in rows)
    if repeated := [id for id, count in counts.items() if count > 1]:
        raise PitfallsError(f"{path}: relation {repeated[0]} is listed {counts[repeated[0]]} times")
    found = [row.predicate() for row in rows]
    prompts: dict[str, str] = {}
    for id, prompt in ((each.relation.id, each.relation.prompt.casefold()) for each in found):
        if (other := prompts.setdefault(prompt, id)) != id:
            raise PitfallsError(f"{path}: {other} and {id} have the same prompt, expected another")
    return found


def predicates_text(predicates: Iterable[Predicate]) -> str:
    """Text of the relations for such a file, as `read_predicates` reads it."""
    return "".join(map(_row_text, predicates))


def _row_text(predicate: Predicate) -> str:
    relation = predicate.relation
    lines = [
        "[[relation]]",
        f"id = {_string(relation.id)}",
        f"label = {_string(relation.label)}",
        f"wording = {_string(predicate.wording)}",
        f"prompt = {_string(relation.prompt)}",
        f"query = {_string(relation.query)}",
    ]
    if predicate.many is not None:
        lines.append(f"many = {str(predicate.many).lower()}")
    paraphrases = "".join(f"    {_string(each)},\n" for each in relation.paraphrases)
    return "\n" + "\n".join(lines) + f"\nparaphrases = [\n{paraphrases}]\n"


def _string(text: str) -> str:
    """TOML string. Its escapes are those of JSON, except that JSON leaves DEL unescaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
