"""One metric a file, each describing itself; arithmetic on stored records. No torch."""
