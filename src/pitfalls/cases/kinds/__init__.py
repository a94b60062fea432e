"""One file a kind of case: its plan, the ties between its parts, its recipe. No torch."""
