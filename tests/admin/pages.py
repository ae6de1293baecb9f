"""Walking lists page by page, as a program does."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from admin.access.actor import Actor
from tests.admin.office import Office
from tests.builders import NOW

PageOf = Callable[..., Any]


def walk(office: Office, page: PageOf, actor: Actor, at: datetime = NOW, **asked: Any) -> list[Any]:
    """All items of a list, each page in a transaction of its own."""
    items: list[Any] = []
    cursor: str | None = None
    while True:
        with office.reading() as session:
            shown = page(session, actor, asked | ({} if cursor is None else {"cursor": cursor}), at)
        items += shown.items
        cursor = shown.next_cursor
        if cursor is None:
            return items


def ids(office: Office, page: PageOf, actor: Actor, **asked: Any) -> list[int]:
    return [item.id for item in walk(office, page, actor, **asked)]
