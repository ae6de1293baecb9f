"""Admin: what operators see and change.

`access` says who may do what, in which part of the tree. Use cases (one file per aggregate) change
things, `drafts` reads what people and programs send; `api` and `ui` are two doors to the same use
cases and know nothing of each other. May import routing, prompts and models; never webhooks.
"""
