"""`python -m scripts.pictures`: pictures of every page, made from the demo, to be looked at.

It starts an installation of its own in a temporary folder and needs Chromium on PATH and what checks
and tests need (`make pictures` installs it).
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from scripts.cli import run

if TYPE_CHECKING:
    from playwright.sync_api import Page, ViewportSize

PAGES = {
    "login": "/login",
    "home": "/",
    "campaigns": "/campaigns",
    "campaigns-none": "/campaigns?q=nothing+like+it",
    "campaign-new": "/campaigns/new",
    "campaign-created": "/campaigns/1/created",
    "campaign-live": "/campaigns/1",
    "campaign-referral": "/campaigns/3",
    "campaign-edit": "/campaigns/3/edit",
    "campaign-extend": "/campaigns/3/extend",
    "provision": "/tracking-numbers/orders/new?campaign_id=1",
    "orders": "/tracking-numbers/orders",
    "campaign-end": "/campaigns/1/end",
    "reports": "/reports?period=30d",
    "reports-today": "/reports?period=today",
    "reports-none": "/reports?first_day=2020-01-01&last_day=2020-01-31",
    "reports-wrong": "/reports?first_day=2026-03-31&last_day=2026-03-01",
    "reports-hours": "/reports/hours?period=90d",
    "reports-campaigns": "/reports/campaigns",
    "reports-numbers": "/reports/numbers?campaign_id=1",
    "reports-groups": "/reports/groups",
    "reports-regions": "/reports/regions",
    "reports-callers": "/reports/callers",
    "reports-ended": "/reports/ended-numbers",
    "numbers": "/tracking-numbers",
    "number": "/tracking-numbers/1",
    "number-new": "/tracking-numbers/new",
    "number-edit": "/tracking-numbers/1/edit",
    "number-move": "/tracking-numbers/1/move",
    "number-release": "/tracking-numbers/1/release",
    "calls": "/calls",
    "call": "/calls/1",
    "prompts": "/prompts",
    "prompt": "/prompts/1",
    "prompt-new": "/prompts/new",
    "prompt-upload": "/prompts/upload",
    "groups": "/groups",
    "group": "/groups/2",
    "group-edit": "/groups/2/edit",
    "group-move": "/groups/2/move",
    "users": "/users",
    "user": "/users/2",
    "user-new": "/users/new",
    "user-disable": "/users/2/disable",
    "tokens": "/settings/tokens",
    "blocks": "/settings/blocks",
    "block-new": "/settings/blocks/new",
    "audit": "/settings/audit",
    "choose-group": "/choose-group",
    "account": "/account",
    "not-there": "/nothing/here",
}
"""Each page by the name of its picture."""

OF_A_WEBHOOK = {
    "webhooks": "/settings/webhooks",
    "webhook": "/settings/webhooks/1",
    "webhook-delivery": "/settings/webhooks/1/deliveries/1",
    "webhook-new": "/settings/webhooks/new",
    "webhook-rotate": "/settings/webhooks/1/rotate",
}
"""Pages that show one, which is made for them and fails."""

_README = Path("docs/pictures")
SHOWN: dict[str, tuple[str, Literal["light", "dark"]]] = {
    "campaigns": ("/campaigns", "light"),
    "campaign": ("/campaigns/3", "light"),
    "home": ("/", "dark"),
    "calls": ("/calls", "light"),
}
"""Those of the README, which are kept with the code: each by its name, with its page and its theme."""

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
_SIZES = {"wide": (1400, 900), "phone": (390, 844)}
_SMALL: "ViewportSize" = {"width": 1200, "height": 750}
_QUALITY = 70
_THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_EMAIL, _PASSWORD = "admin@example.com", "a picture of many words"
_UNTIL_READY = 90.0
_CALLS = ("+15005550100", "+15005550103", "+15005550100", "+15005550107", "+15005550102")


@click.command(name="pictures")
@click.option(
    "--to", "folder", type=click.Path(path_type=Path), default=Path("var/pictures"), show_default=True
)
@click.option("--only", help="Only those whose names begin with this.", default="")
def command(folder: Path, only: str) -> None:
    """Make a picture of every page: light and dark, on a wide screen and on a phone.

    Example: python -m scripts.pictures --to /tmp/pictures --only campaign
    """
    chromium = next((path for name in _CHROMIUM if (path := shutil.which(name))), None)
    if chromium is None:
        raise click.ClickException("there is no Chromium on PATH; on Debian and Ubuntu: apt install chromium")
    folder.mkdir(parents=True, exist_ok=True)
    from playwright.sync_api import sync_playwright  # only developers have it

    with _installation() as (address, password), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(_FLAGS))
        page = browser.new_page(locale="en-GB")
        _sign_in(page, address, password)
        if not only:
            for name, (path, theme) in SHOWN.items():
                _take_small(page, _README / f"{name}.jpg", address + path, theme)
        _set_up_a_webhook(page, address)
        wanted = {name: path for name, path in (PAGES | OF_A_WEBHOOK).items() if name.startswith(only)}
        for name, path in wanted.items():
            _take(page, folder, name, address + path)
        browser.close()
    click.echo(f"{len(wanted)} pages, {len(list(folder.glob('*.png')))} pictures in {folder}")


def _take(page: "Page", folder: Path, name: str, address: str) -> None:
    for size, (width, height) in _SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        for theme in _THEMES:
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            page.goto(address)
            page.screenshot(path=folder / f"{name}-{theme}-{size}.png", full_page=True)


def _take_small(page: "Page", file: Path, address: str, theme: Literal["light", "dark"]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    page.set_viewport_size(_SMALL)
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.goto(address)
    page.screenshot(path=file, type="jpeg", quality=_QUALITY)


def _sign_in(page: "Page", address: str, password: str) -> None:
    page.goto(f"{address}/login")
    page.fill("#email", _EMAIL)
    page.fill("#password", password)
    page.click("button")
    page.fill("#old_password", password)
    page.fill("#new_password", _PASSWORD)
    page.fill("#repeated", _PASSWORD)
    page.click("button")
    page.wait_for_url(f"{address}/")


def _set_up_a_webhook(page: "Page", address: str) -> None:
    """One of an address where nobody listens, and a test that fails."""
    page.goto(f"{address}/settings/webhooks/new")
    page.fill("#address", "http://127.0.0.1:9/hooks")
    page.fill("#name", "CRM")
    page.get_by_role("button", name="Create").click()
    page.goto(f"{address}/settings/webhooks/1")
    page.get_by_role("button", name="Send a test").click()
    page.wait_for_timeout(1_000)


@contextmanager
def _installation() -> Iterator[tuple[str, str]]:
    """Run `hookswitch up` with some calls; yield its address and the one-time password of its admin."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(__file__).parents[1]
        environ = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
        environ |= {"PORT": str(_free_port()), "PYTHONPATH": str(root), "PYTHONUNBUFFERED": "1"}
        environ |= {"WEBHOOK_NETWORKS": "127.0.0.1/32"}
        log = Path(folder, "up.log")
        with log.open("wb") as output:
            command = [sys.executable, "-m", "scripts.up"]
            up = subprocess.Popen(command, cwd=folder, env=environ, stdout=output, stderr=subprocess.STDOUT)
        try:
            password = _until_ready(up, log)
            for number in _CALLS:
                call = [sys.executable, "-m", "scripts.call", number, "--status", "completed"]
                subprocess.run(call, cwd=folder, env=environ, check=True, stdout=subprocess.DEVNULL)
            yield f"http://127.0.0.1:{environ['PORT']}", password
        finally:
            up.send_signal(signal.SIGINT)
            up.wait(timeout=_UNTIL_READY)


def _until_ready(up: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + _UNTIL_READY
    while time.monotonic() < deadline and up.poll() is None:
        found = re.search(r"one-time password (\S+)", log.read_text(encoding="utf-8"))
        if found is not None:
            return found[1]
        time.sleep(0.1)
    raise click.ClickException(f"the demo did not start: {log.read_text(encoding='utf-8')[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(run(command))
