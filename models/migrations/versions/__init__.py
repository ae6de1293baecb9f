"""Changes of the schema; each says in its first line what it does."""
