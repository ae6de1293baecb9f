"""The campaign index: the facts of every tracking number, held in Redis, rebuildable from SQL."""
