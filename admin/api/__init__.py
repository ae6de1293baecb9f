"""The JSON API: one of the two doors to the use cases; the only other one is `ui`.

A resource is one file that declares its operations beside the functions that do them; `application`
joins them to a Flask application, `document` describes them in OpenAPI. What is the same for all
stands in one place each: `serving` (who asks, transaction, answer), `requests` (what was sent),
`problems` (what is said when it cannot be done), `idempotency`, `limits`.
"""
