"""Lists: one file per resource with its filters, its sorting, and how its rows become views.

Each has `page(session, actor, raw, now)` for a list and `one(session, actor, id, now)` for a single
row. Nothing outside the actor's subtree is ever read.
"""
