"""Models: what we remember.

SQLAlchemy mappings, one file per aggregate with its queries beside it, and the migrations.
May import routing; never Flask, Redis or a carrier's library.
"""
