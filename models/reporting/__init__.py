"""Reporting: what the call log adds up to, for days as operators mean them.

`reports` has the questions, `period` and `scope` say of when and of whom, `tally` what is counted.
"""
