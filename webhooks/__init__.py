"""Webhooks: who talks to us and whom we tell.

Checks a carrier's request, turns it into values, answers it. May import routing, prompts and models;
never admin.
"""
