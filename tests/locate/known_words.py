"""Facts to trace in tiny models."""

from pitfalls.facts import Entity, Fact, Relation


def fact(prompt: str, subject: str, target: str) -> Fact:
    return Fact(Entity(subject, subject), Relation(prompt, prompt, prompt), Entity(target, target))


FACTS = (
    fact("The capital of {} is", "Côte d'Ivoire", "Yamoussoukro"),
    fact("{} was born in", "Marie Curie", "Warsaw"),
    fact("One day, the composer of the book met {}", "Zola", "Émile"),
    fact("The capital of {} is", "France", "Paris"),
)
"""Facts with the subject in the middle, at the start and at the end, and one of one token."""
