"""The last-known copy of all routes: one file per host, for when neither Redis nor SQL answers.

Knows neither. A worker writes it (`writer`), web processes read it (`reader`), `layout` says what it holds.
"""
