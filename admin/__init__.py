"""Admin: what operators see and change.

May import routing, prompts and models; never webhooks.
"""
