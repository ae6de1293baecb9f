"""Routing: what should happen to this call.

Pure values and rules, plus the Redis adapters `index`, `journal` and `router`.
May import nothing of the other rooms, no Flask, no SQLAlchemy.
"""
