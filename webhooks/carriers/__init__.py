"""Carriers: one file each, for authenticity, parsing and vocabulary."""
