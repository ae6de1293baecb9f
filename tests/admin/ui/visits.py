"""Somebody who is signed in and looks at pages without a browser; and what a page says."""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy.orm import Session

from models.base import Base
from models.user import User
from tests.admin.knocks import Call
from tests.admin.walk import Person, World

Row = TypeVar("Row", bound=Base)
_FIELD_ERROR = re.compile(
    r'<p class="hs-field-error" id="([\w-]+)-error">(?:<svg.*?</svg>)?(.*?)</p>', re.DOTALL
)


@dataclass(frozen=True)
class Page:
    """What came back."""

    status: int
    source: str
    went_to: str

    @property
    def text(self) -> str:
        """Its words, without markup, each after one space."""
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", self.source)).split())

    @property
    def errors(self) -> dict[str, str]:
        """What stands beside fields, by field."""
        return {name: html.unescape(said).strip() for name, said in _FIELD_ERROR.findall(self.source)}

    @property
    def links(self) -> set[str]:
        """Pages of ours that it leads to."""
        found = {html.unescape(link) for link in re.findall(r'href="(/[^"]*)"', self.source)}
        return {link for link in found if not link.startswith("/assets/")}

    def typed(self, name: str) -> str:
        """What a line of text holds."""
        line = re.search(rf'<input [^>]*name="{name}"\s*value="([^"]*)"', self.source)
        assert line is not None, f"no field {name}"
        return html.unescape(line[1])

    def chosen(self, name: str) -> str:
        """The label of what is chosen from a list."""
        options = re.search(rf'<select [^>]*name="{name}".*?</select>', self.source, re.DOTALL)
        assert options is not None, f"no choice of {name}"
        found = re.search(r"<option [^>]*selected>(.*?)</option>", options[0])
        return "" if found is None else html.unescape(found[1]).strip()


@dataclass(frozen=True)
class Visit:
    world: World
    person: Person

    @property
    def me(self) -> User:
        assert self.person.user is not None
        return self.person.user

    def get(self, path: str, **headers: str) -> Page:
        return self._sent(f"GET {path}", None, headers)

    def post(self, path: str, **form: object) -> Page:
        """Send a form, as a page of ours does."""
        return self._sent(f"POST {path}", form, {})

    def _sent(self, route: str, form: dict[str, object] | None, headers: dict[str, str]) -> Page:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self.world.send(route, Call(form=form), self.world.credentials(self.person) | named)
        return Page(answer.status_code, answer.text, answer.headers.get("Location", ""))


def visiting(world: World, kind: str) -> Visit:
    return Visit(world, world.somebody(kind))


@contextmanager
def writing(world: World) -> Iterator[Session]:
    with world.database.session() as session:
        yield session


def stored(world: World, kind: type[Row], key: int) -> Row:
    """A row as it stands in the database."""
    with world.database.reading() as session:
        return session.get_one(kind, key)
