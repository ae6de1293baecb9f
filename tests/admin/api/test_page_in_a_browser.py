"""A browser shows the document under the policy that forbids all inline code, and sends a request with it."""

import pytest
from playwright.sync_api import Browser

from admin.api.limits import Counters
from tests.admin.api.integrator import Premises
from tests.scripts.installation import Server


def test_the_page_works_without_inline_code(
    premises: Premises, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Counters, "add", lambda *_: 1)
    complaints: list[str] = []
    with Server(premises.application) as server, browser.new_page() as page:
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{server.origin}/api/docs")
        page.get_by_role("button", name="Authorize").click()
        page.get_by_label("auth-bearer-value").fill(premises.program_of(premises.people.ada).token or "")
        page.get_by_role("button", name="Apply credentials").first.click()
        page.get_by_role("button", name="Close").first.click()
        operation = page.locator("#operations-Plans-list_plans")
        operation.get_by_role("button").first.click()
        operation.get_by_role("button", name="Try it out").click()
        operation.get_by_role("button", name="Execute").click()
        shown = operation.locator(".live-responses-table tbody .response-col_status").first
        shown.wait_for()
        status = shown.inner_text().split()[0]
    assert (status, complaints) == ("200", [])
