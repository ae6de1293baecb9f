"""The spool: files on this host that take what happened while neither Redis nor SQL could.

Knows neither. Web processes append (`writer`), a worker hands the records to the log (`replay`),
`record` says how one is written. The directory must lie on a local file system: locks tell who lives.
"""
