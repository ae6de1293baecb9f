"""Access: who somebody is, and what he may do in which part of the tree.

`gate` makes an actor of a request and, with `headers`, is all that knows Flask. `identity` looks up tokens
and sessions, `actor` says what a role and a scope allow; the rest is what signing in takes.
"""
