"""Knowledge graphs and their sources. No torch."""
