"""A knowledge graph and where it comes from. No torch."""
