"""Prompts: what callers hear.

Words, languages, TwiML and recorded audio. May import routing; never models, Flask or the network.
"""
