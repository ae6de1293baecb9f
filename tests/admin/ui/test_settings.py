"""The settings: API tokens, block list and audit log, form by form."""

import re
from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from admin.lists import audit as audit_list
from admin.ui import audit_wording
from models.audit import AuditEntry, Via
from models.blocked_caller import BlockedCaller
from models.campaign import Campaign
from models.user import Role
from tests.admin.people import somebody
from tests.admin.ui.visits import Visit, stored, writing
from tests.admin.walk import World
from tests.builders import a_block, a_campaign, a_group


def blocked(world: World, callers: str, **said: Any) -> int:
    with writing(world) as session:
        return a_block(session, callers, **({"group_id": world.north} | said)).id


def test_settings_lead_to_their_first_tab_and_that_to_the_others(nora: Visit) -> None:
    assert nora.get("/settings").went_to == "/settings/tokens"
    tabs = {"/settings/tokens", "/settings/blocks", "/settings/audit"}
    for tab in tabs:
        assert tabs <= nora.get(tab).links


def test_every_link_of_the_settings_leads_to_a_page(world: World, nora: Visit) -> None:
    blocked(world, "+1900*")
    with writing(world) as session:
        session.get_one(Campaign, a_campaign(session, group_id=world.north).id).name = "Renamed"
    for tab in ("/settings/tokens", "/settings/blocks", "/settings/audit"):
        links = {link.partition("#")[0] for link in nora.get(tab).links if ".xlsx" not in link}
        assert {link: nora.get(link).status for link in links} == dict.fromkeys(links, 200)


def test_a_token_is_shown_once_with_its_secret_and_listed_without(nora: Visit) -> None:
    made = nora.post("/settings/tokens", name="crm", scope="write")
    secret = re.search(r"hs_[\w-]+", made.text)
    assert secret is not None
    listed = nora.get("/settings/tokens")
    assert "crm write" in listed.text
    assert secret[0] not in listed.source


def test_errors_of_a_token_stand_beside_their_fields(nora: Visit) -> None:
    page = nora.post("/settings/tokens", name="", scope="read", expires_at="2020-01-01T00:00")
    assert (page.status, set(page.errors)) == (422, {"name", "expires_at"})


def test_an_admin_makes_and_revokes_tokens_of_others(world: World, nora: Visit, sue: Visit) -> None:
    with writing(world) as session:
        bert = somebody(session, name="Bert", role=Role.STANDARD, group_id=world.north).id
    assert "API tokens of Bert" in nora.get(f"/settings/tokens?user_id={bert}").text
    assert nora.post("/settings/tokens", name="his crm", scope="read", user_id=bert).status == 200
    assert "his crm" not in nora.get("/settings/tokens").text
    page = nora.get(f"/settings/tokens?user_id={bert}")
    found = re.search(r"/settings/tokens/(\d+)/revoke", page.source)
    assert found is not None
    assert sue.post(f"/settings/tokens/{found[1]}/revoke").status == 404
    assert nora.post(f"/settings/tokens/{found[1]}/revoke").went_to == f"/settings/tokens?user_id={bert}"
    assert "revoked" in nora.get(f"/settings/tokens?user_id={bert}").text
    assert sue.get(f"/settings/tokens?user_id={bert}").status == 404


def test_a_block_is_made_with_all_that_was_typed(world: World, nora: Visit) -> None:
    typed = {"callers": "+1 (900) *", "group_id": world.north, "reason": "robots"}
    assert nora.post("/settings/blocks/new", **typed, expires_at="2190-01-01T00:00").status == 303
    page = nora.get("/settings/blocks")
    assert "+1900*" in page.text
    assert "robots" in page.text
    with world.database.reading() as session:
        block = session.query(BlockedCaller).filter_by(group_id=world.north).one()
    assert block.expires_at is not None
    assert block.expires_at.year >= 2189


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({"callers": "nobody"}, "callers"),
        ({"callers": "+1900*", "expires_at": "2020-01-01T00:00"}, "expires_at"),
    ],
)
def test_errors_of_a_block_stand_beside_their_fields(
    world: World, nora: Visit, typed: dict[str, str], wrong: str
) -> None:
    page = nora.post("/settings/blocks/new", group_id=world.north, **typed)
    assert (page.status, set(page.errors)) == (422, {wrong})
    assert page.typed("callers") == typed["callers"]


def test_who_is_blocked_already_is_named_beside_the_field(world: World, nora: Visit) -> None:
    blocked(world, "+1900*", at=datetime.now(UTC))
    page = nora.post("/settings/blocks/new", callers="+1900*", group_id=world.north)
    assert "lift that one first" in page.errors["callers"]


def test_a_block_is_lifted_from_the_list_and_stands_among_those_that_ended(world: World, nora: Visit) -> None:
    block_id = blocked(world, "+1901*", reason="gone")
    assert "gone" in nora.get("/settings/blocks").text
    assert nora.post(f"/settings/blocks/{block_id}/lift", back="/settings/blocks").status == 303
    assert stored(world, BlockedCaller, block_id).lifted_at is not None
    assert "gone" not in nora.get("/settings/blocks").text
    assert "lifted" in nora.get("/settings/blocks?ended=true").text
    assert nora.post(f"/settings/blocks/{block_id}/lift").status == 303


def test_a_standard_user_reads_the_block_list(world: World, otis: Visit) -> None:
    block_id = blocked(world, "+1902*", reason="robots")
    page = otis.get("/settings/blocks")
    assert "robots" in page.text
    assert f"/settings/blocks/{block_id}/lift" not in page.source
    assert "/settings/blocks/new" not in page.links


def test_the_list_says_what_is_wrong_with_a_filter(nora: Visit) -> None:
    assert "callers look like" in nora.get("/settings/blocks?callers=nobody").text


def test_filters_of_block_list_and_audit_log_are_kept(nora: Visit) -> None:
    for tab, query in (("/settings/blocks", "ended=true"), ("/settings/audit", "entity=campaign")):
        nora.post(f"{tab}/filters", query=query)
        assert nora.get(tab).went_to == f"{tab}?{query}"
        nora.post(f"{tab}/filters/reset")
        assert nora.get(tab).status == 200


def test_the_audit_log_tells_who_changed_what_with_names_for_ids(
    world: World, nora: Visit, otis: Visit
) -> None:
    with writing(world) as session:
        campaign = a_campaign(session, group_id=world.north, owner_id=nora.me.id, name="Leaflet").id
    nora.post("/campaigns/bulk", action="change_owner", ids=campaign, owner_id=otis.me.id, confirmed="yes")
    text = nora.get(f"/settings/audit?entity=campaign&entity_id={campaign}&user_id={nora.me.id}").text
    assert f"{nora.me.name} Leaflet Campaign {campaign} Owner {nora.me.name} {otis.me.name}" in text
    assert "Leaflet" not in nora.get(f"/settings/audit?entity_id={campaign}&entity=group").text
    history = nora.get(f"/campaigns/{campaign}").text
    assert f"Owner {nora.me.name} {otis.me.name}" in history


@pytest.mark.parametrize("kind", get_args(audit_list.Entity))
def test_entries_about_every_kind_of_thing_are_shown_also_when_it_is_gone(
    world: World, ada: Visit, kind: str
) -> None:
    with writing(world) as session:
        said = {"entity": kind, "entity_id": 987_654, "field": "created", "via": Via.SYSTEM}
        session.add(AuditEntry(at=datetime.now(UTC), **said))
    assert f"{audit_wording.entity(kind)} 987654 Created" in ada.get(f"/settings/audit?entity={kind}").text


def test_a_group_above_ones_own_is_not_named(world: World, ada: Visit, nora: Visit) -> None:
    with writing(world) as session:
        above = a_group(session, name="Secret holding", parent_id=world.root).id
    assert ada.post(f"/groups/{world.north}/move", parent_id=above).status == 303
    assert "Secret holding" in ada.get(f"/settings/audit?entity=group&entity_id={world.north}").text
    text = nora.get(f"/settings/audit?entity=group&entity_id={world.north}").text
    assert f"no. {above}" in text
    assert "Secret holding" not in text


def test_the_audit_log_is_downloaded_as_it_is_filtered(world: World, nora: Visit) -> None:
    with writing(world) as session:
        campaign = a_campaign(session, group_id=world.north, name="Downloaded").id
    saved = nora.get(f"/settings/audit/download.csv?entity=campaign&entity_id={campaign}").source
    assert saved.splitlines()[0].endswith(
        "id,at,user_id,user_name,via,entity,entity_id,group_id,field,old,new"
    )
    assert "Downloaded" in saved


def test_a_number_that_no_id_can_be_is_no_choice(world: World, nora: Visit) -> None:
    """Python refuses to read a number of more than 4,300 digits, databases those of more than 19."""
    with writing(world) as session:
        number = a_campaign(session, group_id=world.north, owner_id=nora.me.id)
        campaign = number.id
    endless = "9" * 5000
    for path in (
        f"/campaigns?group_id={endless[:3000]}",
        f"/groups/new?parent_id={endless[:30]}",
        f"/settings/tokens?user_id={endless[:30]}",
        f"/options/groups?field=group_id&group_id={endless[:30]}",
        f"/campaigns/{campaign}/at?number_id={endless[:30]}",
    ):
        assert nora.get(path).status == 200
    fields = {
        "name": "New",
        "owner_id": endless,
        "prompt_id": endless,
        "group_id": endless,
        "revision": endless,
    }
    assert nora.post(f"/campaigns/{campaign}/edit", **fields).status == 422
    assert nora.post("/campaigns/new", **fields).status in {303, 422}
    assert (
        nora.post("/tracking-numbers/new", number="+15", campaign_id=endless, group_id=endless).status == 422
    )
    assert nora.post("/users/new", email="x", group_id=endless).status == 422
    assert nora.post(f"/groups/{world.north}/edit", name="N", default_ring_timeout=endless).status == 422


def test_names_of_people_elsewhere_are_not_told(world: World, nora: Visit, sue: Visit) -> None:
    with writing(world) as session:
        sue_named = somebody(session, name="Sue of the South", group_id=world.south).id
    for path in (
        f"/options/users?field=owner_id&owner_id={sue_named}",
        f"/campaigns?owner_id={sue_named}",
        f"/options/groups?field=group_id&group_id={world.south}",
    ):
        page = nora.get(path)
        assert page.status == 200
        assert "Sue of the South" not in page.text
