"""Case kinds, their plans, building them from a graph, reading and writing them. No torch."""
