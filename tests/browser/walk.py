"""Somebody who walks through the pages with a real browser, and notes everything that goes wrong."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    Response,
    expect,
)

from tests.browser.house import ADMIN, PASSWORD, House

_PATIENCE = 10_000
"""Milliseconds until something that should be there counts as missing."""
expect.set_options(timeout=_PATIENCE)
_AXE_SCRIPT = Axe().axe_script
_FAILED_RESOURCE = "Failed to load resource"
_AXE: dict[Literal["light", "dark"], dict[str, list[str]]] = {
    "light": {"resultTypes": ["violations"]},
    "dark": {"resultTypes": ["violations"], "runOnly": ["color-contrast"]},
}


class Walk:
    """One person with one browser. `troubles` are console errors, failed and off-host requests."""

    def __init__(self, context: BrowserContext, house: House) -> None:
        context.set_default_timeout(_PATIENCE)
        self._context = context
        self.house = house
        self.page: Page = context.new_page()
        self.troubles: list[str] = []
        self._expected: set[int] = set()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        self.page.on("request", self._sent)
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._answered)

    def go(self, path: str) -> None:
        self.page.goto(self.house.address + path)

    def sign_in(self, email: str = ADMIN) -> None:
        """Begin at one's account, in a session that is open already."""
        cookie = self.house.session_of(email)
        self._context.add_cookies([{"name": "hookswitch", "value": cookie, "url": self.house.address}])
        self.go("/account")

    def come_in(self, password: str = PASSWORD, email: str = ADMIN) -> None:
        """Through the door: by the form."""
        self.go("/login")
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_load_state()

    def open(self, link: str) -> None:
        self.page.get_by_role("link", name=link, exact=True).first.click()

    def press(self, button: str) -> None:
        self.page.get_by_role("button", name=button, exact=True).first.click()

    def menu(self, item: str) -> None:
        self.page.get_by_role("navigation", name="Main").get_by_role("link", name=item, exact=True).click()

    @property
    def window(self) -> Locator:
        """What lies over the page."""
        return self.page.locator("dialog[open]")

    @property
    def path(self) -> str:
        """Where the address bar stands, without the host."""
        return self.page.url.removeprefix(self.house.address)

    def sees(self, text: str) -> None:
        expect(self.page.get_by_role("main").get_by_text(text).first).to_be_visible(timeout=_PATIENCE)

    def sees_not(self, text: str) -> None:
        expect(self.page.get_by_role("main").get_by_text(text, exact=True)).to_have_count(
            0, timeout=_PATIENCE
        )

    def row(self, name: str) -> Locator:
        """The row of a grid whose first words are `name`."""
        rows = self.page.get_by_role("main").get_by_role("row")
        return rows.filter(has=self.page.get_by_role("rowheader", name=re.compile(rf"^{re.escape(name)}\b")))

    def download(self, link: str, folder: Path) -> Path:
        """Click a link that sends a file; return where it was saved."""
        with self.page.expect_download() as download:
            self.page.get_by_role("link", name=link).click()
        saved = folder / download.value.suggested_filename
        download.value.save_as(saved)
        return saved

    @contextmanager
    def expecting(self, *statuses: int) -> Iterator[None]:
        """Answers of these statuses are no trouble meanwhile."""
        self._expected |= set(statuses)
        yield
        self.page.wait_for_load_state()
        self._expected -= set(statuses)

    def transferred(self) -> int:
        """Bytes that the page and all it needs took on the wire."""
        entries = """() => ["navigation", "resource"]
            .flatMap(kind => performance.getEntriesByType(kind)).map(each => each.encodedBodySize)"""
        return sum(self.page.evaluate(entries))

    def find_barriers(self) -> list[str]:
        """What axe finds on the page as it stands, in both themes; they differ in their colours alone."""
        found = []
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(_AXE_SCRIPT)
        for theme, options in _AXE.items():
            self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            for violation in self.page.evaluate("options => axe.run(options)", options)["violations"]:
                where = "; ".join(str(node["target"]) for node in violation["nodes"][:5])
                found.append(f"{self.path} in {theme}: {violation['id']} at {where}")
        return found

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type not in {"error", "warning"}:
            return
        status = re.search(r"status of (\d+)", message.text)
        if _FAILED_RESOURCE in message.text and status and int(status[1]) in self._expected:
            return
        self.troubles.append(f"console: {message.text}")

    def _sent(self, request: Request) -> None:
        if not request.url.startswith((self.house.address + "/", "data:", "blob:")):
            self.troubles.append(f"off-host: {request.url}")

    def _failed(self, request: Request) -> None:
        # A request that the page itself gives up, for a newer one or for a download, is no failure.
        if request.failure != "net::ERR_ABORTED":
            self.troubles.append(f"failed: {request.url} ({request.failure})")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self._expected:
            self.troubles.append(f"{response.status}: {response.url}")
