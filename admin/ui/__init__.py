"""The page: what operators look at and click. Server-rendered; another door to the use cases of `admin`."""
