"""How every list is asked for: limit, cursor, count; and how a page of it is read."""

from typing import Annotated

from pydantic import ConfigDict, Field

from admin.drafts import Draft

LARGEST_PAGE = 200


class Filters(Draft):
    """What every list takes, read from an address: numbers and instants are spelled as text."""

    model_config = ConfigDict(strict=False)

    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] = 50
    cursor: Annotated[str | None, Field(max_length=4000, description="`next_cursor` of the page before")] = (
        None
    )
    count: Annotated[bool, Field(description="whether to count the whole list into `total`")] = False
