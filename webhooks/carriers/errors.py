"""Why an authentic request cannot be taken."""


class Malformed(ValueError):
    """No call can be read from the request; names the field, never its value."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} is missing, repeated or of the wrong shape")


class ForeignAccount(ValueError):
    """The request speaks for an account that is not ours."""

    def __init__(self) -> None:
        super().__init__("the request is for another account")
