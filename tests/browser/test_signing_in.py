"""How people come in: the first password, the second factor, the link, and out again."""

from datetime import UTC, datetime

import pyotp
from sqlalchemy.orm import Session

from admin.access.links import make_link
from models.sign_in import LinkPurpose
from models.user import User
from tests.browser.house import ADMIN, PASSWORD
from tests.browser.walk import Walk

ANOTHER = "quite another sentence"


def test_whoever_signs_in_with_a_made_password_has_to_choose_his_own_first(walk: Walk) -> None:
    def make_it_the_first(session: Session) -> None:
        session.get_one(User, walk.house.user(ADMIN)).password_changed_at = None

    walk.house.write(make_it_the_first)
    walk.go("/campaigns?state=live")
    with walk.expecting(401):
        walk.come_in("not the password")
        walk.sees("the password is wrong")
    walk.go("/campaigns?state=live")
    walk.page.get_by_label("E-mail").fill(ADMIN)
    walk.page.get_by_label("Password").fill(PASSWORD)
    walk.press("Sign in")
    walk.sees("Choose a password of your own")
    assert walk.find_barriers() == []
    walk.page.get_by_label("Password that you signed in with").fill(PASSWORD)
    walk.page.get_by_label("New password", exact=False).nth(0).fill("short")
    with walk.expecting(422):
        walk.page.locator("#new_password").evaluate("field => field.removeAttribute('minlength')")
        walk.page.get_by_label("New password again").fill("short")
        walk.press("Save and go on")
        walk.sees("12 characters")
    walk.page.get_by_label("Password that you signed in with").fill(PASSWORD)
    walk.page.locator("#new_password").fill(ANOTHER)
    walk.page.get_by_label("New password again").fill(ANOTHER)
    walk.press("Save and go on")
    walk.sees("Website")
    assert walk.path.startswith("/campaigns?")


def test_a_second_factor_is_asked_for_from_then_on(walk: Walk) -> None:
    walk.sign_in()
    walk.go("/account")
    assert walk.find_barriers() == []
    walk.page.get_by_label("Your password").fill(PASSWORD)
    walk.press("Set it up")
    app = pyotp.TOTP("".join(walk.page.locator("code.hs-secret").inner_text().split()))
    assert walk.find_barriers() == []
    walk.page.get_by_role("textbox", name="Code").fill(app.now())
    walk.press("Switch it on")
    walk.sees("Keep these recovery codes")
    recovery = walk.page.locator(".hs-codes code").first.inner_text()
    assert walk.find_barriers() == []
    walk.page.locator("details.hs-user summary").click()
    walk.press("Sign out")
    walk.come_in()
    walk.sees("Second factor")
    assert walk.find_barriers() == []
    walk.page.get_by_role("textbox", name="Code").fill(recovery)
    walk.press("Go on")
    walk.page.get_by_role("heading", name="Home").wait_for()


def test_a_link_sets_the_password_and_its_secret_leaves_the_address(walk: Walk) -> None:
    secrets: list[str] = []

    def invite(session: Session) -> None:
        user = session.get_one(User, walk.house.user(ADMIN))
        secrets.append(make_link(session, user, LinkPurpose.RESET, datetime.now(UTC)))

    walk.house.write(invite)
    walk.go(f"/password#{secrets[0]}")
    walk.page.locator("#password").fill(ANOTHER)
    assert walk.path == "/password"
    assert walk.find_barriers() == []
    walk.page.get_by_label("New password again").fill(ANOTHER)
    walk.press("Save")
    walk.sees("Your password is set")
    walk.come_in(ANOTHER)
    walk.page.get_by_role("heading", name="Home").wait_for()


def test_times_are_shown_in_the_zone_and_pages_in_the_theme_that_a_user_chooses(walk: Walk) -> None:
    walk.sign_in()
    walk.go("/account")
    walk.page.get_by_role("combobox", name="Time zone").fill("Asia/Kolkata")
    walk.press("Save")
    walk.sees("All times are now shown in your time zone")
    walk.go("/campaigns/1")
    walk.sees("IST")
    walk.page.locator("details.hs-user summary").click()
    walk.press("Dark")
    assert walk.page.locator("html").get_attribute("data-bs-theme") == "dark"
    walk.page.keyboard.press("Escape")


def test_a_token_is_shown_once_and_can_be_revoked(walk: Walk) -> None:
    walk.sign_in()
    walk.go("/settings/tokens")
    walk.page.get_by_label("Name of the program").fill("Reports at night")
    walk.press("Make a token")
    assert walk.page.locator("code.hs-secret").inner_text().startswith("hs_")
    assert walk.find_barriers() == []
    walk.open("Done")
    walk.press("Revoke Reports at night")
    walk.sees("revoked")


def test_an_address_where_nothing_is_says_so_in_the_frame(walk: Walk) -> None:
    walk.sign_in()
    with walk.expecting(404):
        walk.go("/nothing/here")
        walk.sees("There is nothing here")
        assert walk.find_barriers() == []
