"""Why an authentic request cannot be taken, and why the carrier cannot be asked."""


class Malformed(ValueError):
    """No call can be read from the request; names the field, never its value."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} is missing, repeated or of the wrong shape")


class ForeignAccount(ValueError):
    """The request speaks for an account that is not ours."""

    def __init__(self) -> None:
        super().__init__("the request is for another account")


class CarrierUnavailable(Exception):
    """The carrier gave no answer that can be used, though it was asked more than once; a later try may do.

    The message says what it did instead, to be read after "the carrier".
    """


class CredentialsRefused(Exception):
    """The carrier does not know the account with its token, or does not let it do this."""

    def __init__(self) -> None:
        super().__init__("refuses the account with its token")


class NotAvailable(Exception):
    """The number cannot be had: somebody else was faster, or the carrier does not offer it."""

    def __init__(self) -> None:
        super().__init__("the number is not available any more")


class Refused(Exception):
    """The carrier understood and does not do it; the message says what is missing, and how to get it.

    To be read after "the carrier".
    """
