"""Small made-up worlds in which every rule of the paper has instances."""

from dataclasses import dataclass, field
from random import Random

from hypothesis import strategies as st

from pitfalls.facts import Entity, Relation
from pitfalls.graph.graph import Graph, Node, Predicate, Triple

ROUND = ("P69", "P136", "P166", "P276", "P279", "P366", "P403", "P674", "P1411")
RELATIONS = (
    *("P22", "P25", "P26", "P27", "P39", "P40", "P170", "P184", "P185"),
    *("P407", "P800", "P1001", "P1412", "P3373", *ROUND),
)


@dataclass(frozen=True)
class World:
    """How to make a graph. Made in the test and not in the strategy, where nothing that beartype
    checks may be called: it looks at random items, and hypothesis wants all chance for itself."""

    families: int
    seed: int = 0
    gaps: frozenset[int] = frozenset()
    """Positions of triples to leave out."""
    odd_labels: dict[int, str] = field(default_factory=dict)
    """Positions of nodes → labels that a builder may stumble over."""

    def graph(self, shuffle: Random | None = None) -> Graph:
        nodes, triples = make_parts(self.families, Random(self.seed))
        nodes = [
            Node(Entity(node.entity.id, self.odd_labels.get(n, node.entity.label)), node.type)
            for n, node in enumerate(nodes)
        ]
        triples = [triple for n, triple in enumerate(triples) if n not in self.gaps]
        relations = [Predicate(relation(id)) for id in RELATIONS]
        for part in (nodes, triples, relations) if shuffle else ():
            shuffle.shuffle(part)
        return Graph(nodes, relations, triples)


def relation(id: str) -> Relation:
    return Relation(
        id, f"label of {id}", f"The {id} of {{}} is", (f"{{}} has {id}",), f"{id} {{}}?"
    )


def make_parts(families: int, dice: Random) -> tuple[list[Node], list[Triple]]:
    """Families with two children, a career each, and things with several of everything."""
    triples: list[Triple] = []
    types: dict[str, str] = {}

    def thing(type: str, name: str) -> str:
        types[name] = type
        return name

    topics = [thing("topic", f"topic{n}") for n in range(families + 6)]
    countries = [thing("country", f"country{n}") for n in range(4)]
    languages = [thing("language", f"language{n}") for n in range(4)]
    for n in range(families):
        father, mother, *children = (
            thing("human", f"{role}{n}") for role in ("father", "mother", "elder", "younger")
        )
        triples += [(father, "P26", mother), (mother, "P26", father)]
        triples += [(children[0], "P3373", children[1]), (children[1], "P3373", children[0])]
        for child in children:
            triples += [(child, "P22", father), (child, "P25", mother)]
            triples += [(father, "P40", child), (mother, "P40", child)]
        triples += [(father, "P185", mother), (mother, "P184", father)]
        work, office = thing("work", f"work{n}"), thing("office", f"office{n}")
        triples += [(father, "P800", work), (work, "P170", father)]
        triples += [(work, "P407", languages[n % 4]), (father, "P1412", languages[n % 4])]
        triples += [(father, "P39", office), (office, "P1001", countries[n % 4])]
        triples += [(father, "P27", countries[n % 4])]
        some = dice.sample(topics, dice.randint(1, 4))
        triples += [(father, ROUND[n % len(ROUND)], each) for each in some]
    nodes = [Node(Entity(id, f"The {id}"), type) for id, type in types.items()]
    return nodes, triples


def worlds() -> st.SearchStrategy[World]:
    """Worlds with holes in them, bare ids for labels and labels that several things share."""
    labels = st.sampled_from(["Q42", "The same", "the SAME", "a\u2028b", "Ωμέγα {}"])
    return st.builds(
        World,
        st.integers(1, 14),
        st.integers(0, 99),
        st.frozensets(st.integers(0, 200), max_size=12),
        st.dictionaries(st.integers(0, 60), labels, max_size=6),
    )
