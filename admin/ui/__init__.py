"""The page: what operators look at and click. Server-rendered; another door to the use cases of `admin`.

One file of views and one folder of templates per subject; `frame` is around all of them. No rule lives
here: views call the same use cases and lists as the API does, and know nothing of it.
"""
