"""Parts of editors that write values under keys: ROME, MEMIT and their successors."""
