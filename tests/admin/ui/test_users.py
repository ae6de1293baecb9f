"""The pages of users: the list, one user, and every form about one."""

import re

import pytest

from models.campaign import Campaign
from models.user import Role, User, UserStatus, user_by_email
from tests.admin.people import somebody
from tests.admin.ui.visits import Page, Visit, stored, writing
from tests.admin.walk import World
from tests.builders import a_campaign, a_group, a_user

_ACTS = ("disable", "link", "second-factor")
PASSWORD = "a kettle of wet otters"


def in_north(world: World, **said: object) -> int:
    with writing(world) as session:
        plain = {"group_id": world.north, "name": "Bert", "role": Role.STANDARD}
        return somebody(session, **(plain | said)).id


def campaign_of(world: World, user_id: int) -> int:
    with writing(world) as session:
        return a_campaign(session, group_id=world.north, owner_id=user_id).id


def secret_in(page: Page) -> str:
    """Of the link that a page shows."""
    found = re.search(r"/password#([\w-]+)", page.source)
    assert found is not None
    return found[1]


def test_admins_see_everybody_of_their_subtree(world: World, nora: Visit, sue: Visit) -> None:
    bert = in_north(world)
    links = nora.get("/users").links
    assert {f"/users/{bert}", f"/users/{nora.me.id}", "/users/new"} <= links
    assert f"/users/{sue.me.id}" not in links


def test_a_standard_user_sees_himself_alone(world: World, otis: Visit) -> None:
    bert = in_north(world)
    links = otis.get("/users").links
    assert f"/users/{otis.me.id}" in links
    assert not {f"/users/{bert}", "/users/new"} & links
    assert otis.get(f"/users/{otis.me.id}").status == 200


def test_the_list_is_filtered_and_says_so_when_nobody_is_left(world: World, nora: Visit) -> None:
    bert = in_north(world, status=UserStatus.DISABLED)
    assert f"/users/{bert}" in nora.get("/users?q=ber&role=standard&status=disabled").links
    assert f"/users/{bert}" not in nora.get("/users?status=active").links
    assert "No user fits these filters" in nora.get("/users?q=nowhere").text


def test_filters_are_kept_until_they_are_reset(nora: Visit) -> None:
    assert nora.post("/users/filters", query="status=disabled").status == 303
    assert nora.get("/users").went_to == "/users?status=disabled"
    assert "No user fits these filters" in nora.get("/users?status=disabled").text
    assert nora.post("/users/filters/reset").status == 303
    assert f"/users/{nora.me.id}" in nora.get("/users").links


def test_whoever_is_invited_comes_in_by_the_link_that_is_shown_once(world: World, nora: Visit) -> None:
    assert nora.get("/users/new").status == 200
    invited = {"email": "Bea@Example.com", "name": "Bea", "role": "standard", "group_id": world.north}
    answer = nora.post("/users/new", **invited, time_zone="Europe/Berlin")
    assert answer.status == 200
    assert "Invitation for Bea" in answer.text
    with writing(world) as session:
        bea = user_by_email(session, "bea@example.com")
        assert bea is not None
        assert (bea.role, bea.group_id, bea.time_zone) == (Role.STANDARD, world.north, "Europe/Berlin")
    assert "Password none yet" in nora.get(f"/users/{bea.id}").text
    taken = {"token": secret_in(answer), "password": PASSWORD, "repeated": PASSWORD}
    assert nora.post("/password", **taken).status == 303
    assert "Password set" in nora.get(f"/users/{bea.id}").text


def test_without_a_time_zone_an_invited_user_gets_the_groups(world: World, nora: Visit) -> None:
    with writing(world) as session:
        group = a_group(session, parent_id=world.north, time_zone="America/Denver").id
    nora.post("/users/new", email="max@example.com", name="Max", role="standard", group_id=group)
    with writing(world) as session:
        made = user_by_email(session, "max@example.com")
        assert made is not None
        assert made.time_zone == "America/Denver"


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(world: World, nora: Visit) -> None:
    wrong = {"email": "nobody", "name": " ", "time_zone": "Mars/Olympus"}
    answer = nora.post("/users/new", **wrong, role="admin", group_id=world.north)
    assert answer.status == 422
    assert answer.errors.keys() == wrong.keys()
    assert {name: answer.typed(name) for name in wrong} == wrong
    assert re.search(r'value="admin" checked', answer.source)


def test_an_address_is_invited_once(world: World, nora: Visit) -> None:
    form = {"email": nora.me.email.upper(), "name": "Nora", "role": "standard", "group_id": world.north}
    answer = nora.post("/users/new", **form)
    assert answer.status == 422
    assert answer.errors == {"email": "Is the address of a user already"}


def test_nobody_is_invited_into_another_subtree(world: World, sue: Visit) -> None:
    form = {"email": "bea@example.com", "name": "Bea", "role": "standard", "group_id": world.north}
    answer = sue.post("/users/new", **form)
    assert answer.status == 422
    assert answer.errors.keys() == {"group_id"}


def test_an_edit_starts_from_what_is_stored_and_is_saved(world: World, nora: Visit) -> None:
    with writing(world) as session:
        branch = a_group(session, parent_id=world.north, name="Branch").id
    bert = in_north(world, time_zone="Europe/Berlin")
    shown = nora.get(f"/users/{bert}/edit")
    assert (shown.typed("name"), shown.typed("time_zone")) == ("Bert", "Europe/Berlin")
    form = {"name": "Bertha", "role": "admin", "group_id": branch, "time_zone": "America/Denver"}
    answer = nora.post(f"/users/{bert}/edit", **form)
    assert (answer.status, answer.went_to) == (303, f"/users/{bert}")
    user = stored(world, User, bert)
    assert (user.name, user.role, user.group_id) == ("Bertha", Role.ADMIN, branch)
    assert user.time_zone == "America/Denver"


def test_an_edit_that_cannot_be_is_refused_and_what_was_typed_stays(world: World, nora: Visit) -> None:
    bert = in_north(world)
    answer = nora.post(f"/users/{bert}/edit", name="", time_zone="Mars/Olympus", role="admin")
    assert answer.status == 422
    assert answer.errors.keys() == {"name", "time_zone"}
    assert answer.typed("time_zone") == "Mars/Olympus"
    assert stored(world, User, bert).role is Role.STANDARD


def test_users_change_their_own_name_and_nothing_of_their_rights(world: World, otis: Visit) -> None:
    shown = otis.get(f"/users/{otis.me.id}/edit")
    assert 'name="role"' not in shown.source
    assert otis.post(f"/users/{otis.me.id}/edit", name="Otto").status == 303
    assert otis.post(f"/users/{otis.me.id}/edit", name="Otto", role="admin").status == 403
    user = stored(world, User, otis.me.id)
    assert (user.name, user.role) == ("Otto", Role.STANDARD)


def test_whoever_owns_campaigns_is_disabled_when_somebody_takes_them_over(world: World, nora: Visit) -> None:
    bert, heir = in_north(world), in_north(world, name="Heidi")
    campaign = campaign_of(world, bert)
    assert "Who takes over the one campaign" in nora.get(f"/users/{bert}/disable").text
    refused = nora.post(f"/users/{bert}/disable", new_owner_id="")
    assert refused.status == 422
    assert refused.errors.keys() == {"new_owner_id"}
    assert stored(world, User, bert).status is UserStatus.ACTIVE
    answer = nora.post(f"/users/{bert}/disable", new_owner_id=heir)
    assert (answer.status, answer.went_to) == (303, f"/users/{bert}")
    assert stored(world, User, bert).status is UserStatus.DISABLED
    assert stored(world, Campaign, campaign).owner_id == heir


def test_a_new_owner_of_another_subtree_does_not_exist(world: World, nora: Visit, sue: Visit) -> None:
    bert = in_north(world)
    campaign_of(world, bert)
    answer = nora.post(f"/users/{bert}/disable", new_owner_id=sue.me.id)
    assert answer.status == 422
    assert answer.errors == {"new_owner_id": "There is no such user"}


def test_a_disabled_user_is_enabled_again(world: World, nora: Visit) -> None:
    bert = in_north(world, status=UserStatus.DISABLED)
    assert "Enable" in nora.get(f"/users/{bert}").text
    answer = nora.post(f"/users/{bert}/enable")
    assert (answer.status, answer.went_to) == (303, f"/users/{bert}")
    assert stored(world, User, bert).status is UserStatus.ACTIVE


def test_a_link_lets_somebody_choose_a_new_password(world: World, nora: Visit) -> None:
    bert = in_north(world)
    assert "Link for a new password" in nora.get(f"/users/{bert}").text
    assert nora.get(f"/users/{bert}/link").status == 200
    answer = nora.post(f"/users/{bert}/link")
    assert answer.status == 200
    assert "Link for Bert" in answer.text
    before = stored(world, User, bert).password_hash
    taken = {"token": secret_in(answer), "password": PASSWORD, "repeated": PASSWORD}
    assert nora.post("/password", **taken).status == 303
    assert stored(world, User, bert).password_hash != before


def test_no_link_is_made_for_whoever_is_disabled(world: World, nora: Visit) -> None:
    bert = in_north(world, status=UserStatus.DISABLED)
    answer = nora.post(f"/users/{bert}/link")
    assert answer.status == 409
    assert "The user is disabled" in answer.text


def test_a_second_factor_is_removed_for_whoever_lost_it(world: World, nora: Visit) -> None:
    bert = in_north(world)
    with writing(world) as session:
        user = session.get_one(User, bert)
        user.totp_secret, user.totp_confirmed_at = "JBSWY3DPEHPK3PXP", user.password_changed_at
    assert f"/users/{bert}/second-factor" in nora.get(f"/users/{bert}").links
    assert nora.get(f"/users/{bert}/second-factor").status == 200
    assert nora.post(f"/users/{bert}/second-factor").status == 303
    user = stored(world, User, bert)
    assert (user.totp_secret, user.totp_confirmed_at) == (None, None)


def test_whether_somebody_has_a_password_is_told_to_admins_alone(
    world: World, nora: Visit, otis: Visit
) -> None:
    with writing(world) as session:
        invited = a_user(session, group_id=world.north).id
    assert "Password none yet" in nora.get(f"/users/{invited}").text
    assert "Password set" in nora.get(f"/users/{otis.me.id}").text
    assert "<dt>Password</dt>" in nora.get(f"/users/{otis.me.id}").source
    assert "<dt>Password</dt>" not in otis.get(f"/users/{otis.me.id}").source


@pytest.mark.parametrize("act", ["edit", *_ACTS])
def test_a_user_of_another_subtree_is_not_there(world: World, sue: Visit, act: str) -> None:
    bert = in_north(world)
    assert sue.get(f"/users/{bert}").status == 404
    assert sue.get(f"/users/{bert}/{act}").status == 404
    assert sue.post(f"/users/{bert}/{act}", name="Mine").status == 404
    assert sue.post(f"/users/{bert}/enable").status == 404


@pytest.mark.parametrize("act", ["edit", "enable", *_ACTS])
def test_a_standard_user_does_nothing_to_others(world: World, otis: Visit, act: str) -> None:
    bert = in_north(world)
    assert otis.get(f"/users/{bert}").status == 404
    assert otis.post(f"/users/{bert}/{act}", name="Mine").status == 404
    assert otis.post("/users/new", email="bea@example.com", name="Bea").status == 403


@pytest.mark.parametrize("act", ["enable", *_ACTS])
def test_nobody_does_to_himself_what_another_admin_has_to(nora: Visit, act: str) -> None:
    page = nora.get(f"/users/{nora.me.id}")
    assert "/account" in page.links
    assert f"/users/{nora.me.id}/{act}" not in page.links
    assert nora.post(f"/users/{nora.me.id}/{act}").status == 403


def test_every_link_leads_to_a_page(world: World, nora: Visit) -> None:
    bert = in_north(world)
    campaign_of(world, bert)
    for path in ("/users", f"/users/{bert}", f"/users/{nora.me.id}"):
        found = nora.get(path).links
        assert found
        assert {link: nora.get(link).status for link in found} == dict.fromkeys(found, 200)
