"""Who stands at the door before anybody knows him."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who stands at the door, as far as a request tells."""

    address: str
    user_agent: str = ""
    cookie: str | None = None
    """Of the session it comes with."""
    browser: str | None = None
    """The mark that a browser got when its user signed in well."""
