"""Where a model recalls a fact: causal tracing, and the layers it proposes to edit."""
