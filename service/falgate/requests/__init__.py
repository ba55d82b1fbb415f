"""A caller's request, from its arrival to its answer: sync, queued, quoted, erased."""
