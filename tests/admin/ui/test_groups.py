"""The pages of groups: the tree, one group with what it inherits, and every form about it."""

import pytest

from models.audit import AuditEntry
from models.group import Group
from tests.admin.ui.visits import Visit, stored, writing
from tests.admin.walk import World
from tests.builders import a_campaign, a_group, a_plan

FULL = {
    "name": "Bay Bakery North",
    "external_id": "BBN",
    "industry": "Bakery",
    "phone": "+1 415 555 0190",
    "city": "Oakland",
    "time_zone": "America/Denver",
    "countries": "us, ca",
    "talk_limit": "1.5",
    "default_destination": "+14155550191",
    "default_whisper": "A call from an advertisement.",
    "default_ring_timeout": "40",
    "default_record_calls": "yes",
    "default_caller_id": "tracking_number",
    "mask_callers": "yes",
    "keep_callers_days": "90",
}


def below_north(world: World, **said: object) -> int:
    with writing(world) as session:
        return a_group(session, **({"name": "Branch", "parent_id": world.north} | said)).id


def named(world: World, group_id: int, name: str) -> None:
    with writing(world) as session:
        session.get_one(Group, group_id).name = name


def test_the_tree_shows_ones_own_group_and_those_below(world: World, nora: Visit) -> None:
    named(world, world.north, "North")
    named(world, world.south, "South")
    branch = below_north(world, city="Oakland")
    page = nora.get("/groups")
    assert {f"/groups/{world.north}", f"/groups/{branch}"} <= page.links
    assert f"/groups/{world.south}" not in page.links
    assert "Branch" in page.text
    assert "Oakland" in page.text


def test_a_search_narrows_the_tree(world: World, ada: Visit) -> None:
    branch = below_north(world, external_id="BR-7")
    assert f"/groups/{branch}" in ada.get("/groups?q=BR-7").links
    assert "Show all groups" in ada.get("/groups?q=nowhere").text


def test_a_search_as_one_types_fetches_the_rows_alone(world: World, ada: Visit) -> None:
    below_north(world)
    part = ada.get("/groups?q=Branch", HX_Request="true", HX_Target="grid")
    assert "Branch" in part.text
    assert "<html" not in part.source


def test_a_group_says_where_its_settings_come_from(world: World, ada: Visit) -> None:
    named(world, world.north, "North")
    with writing(world) as session:
        session.get_one(Group, world.north).default_whisper = "From the north."
    branch = below_north(world, default_ring_timeout=40)
    text = ada.get(f"/groups/{branch}").text
    assert "Whisper From the north. North" in text
    assert "Ring timeout 40 seconds this group" in text
    assert "Talk limit 4 hours the default" in text


def test_where_a_setting_comes_from_is_not_told_beyond_the_subtree(world: World, nora: Visit) -> None:
    with writing(world) as session:
        root = session.get_one(Group, world.root)
        root.name, root.default_whisper = "Holding", "From above."
    page = nora.get(f"/groups/{world.north}")
    assert "From above." in page.text
    assert "or a group above yours" in page.text
    assert "Holding" not in page.text


def test_a_group_is_created_with_everything_that_was_typed(world: World, nora: Visit) -> None:
    assert "Below" in nora.get(f"/groups/new?parent_id={world.north}").text
    answer = nora.post("/groups/new", parent_id=world.north, **FULL)
    assert answer.status == 303
    group = stored(world, Group, int(answer.went_to.rpartition("/")[2]))
    assert (group.name, group.parent_id, group.external_id) == ("Bay Bakery North", world.north, "BBN")
    assert (group.countries, group.talk_limit, group.time_zone) == ("CA,US", 90, "America/Denver")
    assert group.phone is not None
    assert group.phone.e164 == "+14155550190"
    assert (group.default_ring_timeout, group.default_record_calls) == (40, True)
    assert (group.mask_callers, group.keep_callers_days) == (True, 90)
    text = nora.get(answer.went_to).text
    assert "Allowed countries CA, US this group" in text
    assert "Talk limit 1.5 minutes this group" in text
    assert "Callers' numbers are kept 90 days after the last call this group" in text


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(world: World, nora: Visit) -> None:
    wrong = {
        "name": "",
        "phone": "12",
        "talk_limit": "long",
        "countries": "Utopia",
        "time_zone": "Mars/Olympus",
        "default_ring_timeout": "soon",
        "city": "Oakland",
        "default_record_calls": "yes",
    }
    answer = nora.post("/groups/new", parent_id=world.north, **wrong)
    assert answer.status == 422
    assert {"name", "phone", "talk_limit", "default_ring_timeout"} <= answer.errors.keys()
    kept = {name: answer.typed(name) for name in wrong if name != "default_record_calls"}
    assert kept == {name: value for name, value in wrong.items() if name != "default_record_calls"}
    assert answer.chosen("default_record_calls") == "on"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("countries", "US, XX", "codes of two letters"),
        ("time_zone", "Mars/Olympus", "Europe/Berlin"),
        ("talk_limit", "0.9", "minutes from 1 to 240"),
        ("talk_limit", "240.1", "minutes from 1 to 240"),
        ("talk_limit", "nan", "minutes from 1 to 240"),
        ("default_ring_timeout", "4", "5"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(
    world: World, nora: Visit, field: str, value: str, said: str
) -> None:
    answer = nora.post(f"/groups/{world.north}/edit", name="North", **{field: value})
    assert answer.status == 422
    assert answer.errors.keys() == {field}
    assert said.lower() in answer.errors[field].lower()
    assert answer.typed(field) == value


def test_an_edit_starts_from_what_is_stored_and_saves_what_was_changed(world: World, nora: Visit) -> None:
    group_id = below_north(world, countries="CA,US", talk_limit=90, default_record_calls=False)
    shown = nora.get(f"/groups/{group_id}/edit")
    assert (shown.typed("name"), shown.typed("countries")) == ("Branch", "CA, US")
    assert (shown.typed("talk_limit"), shown.chosen("default_record_calls")) == ("1.5", "off")
    answer = nora.post(f"/groups/{group_id}/edit", name="Twig", countries="CA", talk_limit="2")
    assert (answer.status, answer.went_to) == (303, f"/groups/{group_id}")
    group = stored(world, Group, group_id)
    assert (group.name, group.countries, group.talk_limit) == ("Twig", "CA", 120)
    assert group.default_record_calls is False


def test_a_setting_taken_out_is_the_parents_again(world: World, nora: Visit) -> None:
    group_id = below_north(world, countries="CA,US", talk_limit=90, default_record_calls=False)
    left_empty = {"countries": "", "talk_limit": "", "default_record_calls": ""}
    assert nora.post(f"/groups/{group_id}/edit", name="Branch", **left_empty).status == 303
    group = stored(world, Group, group_id)
    assert (group.countries, group.talk_limit, group.default_record_calls) == (None, None, None)


def test_saving_a_form_as_it_was_shown_changes_nothing(world: World, ada: Visit) -> None:
    group_id = below_north(world)
    assert ada.post(f"/groups/{group_id}/edit", **FULL).status == 303
    shown = ada.get(f"/groups/{group_id}/edit")
    lines = {
        name: shown.typed(name) for name in FULL if not name.endswith(("calls", "caller_id", "mask_callers"))
    }
    chosen = {
        "default_record_calls": "yes",
        "mask_callers": "yes",
        "default_caller_id": "tracking_number",
        "plan_id": "",
    }
    with world.database.reading() as session:
        before = session.query(AuditEntry).count()
    assert ada.post(f"/groups/{group_id}/edit", **lines, **chosen).status == 303
    with world.database.reading() as session:
        assert session.query(AuditEntry).count() == before


def test_only_admins_of_the_whole_account_choose_a_plan(world: World, ada: Visit, nora: Visit) -> None:
    group_id = below_north(world)
    with writing(world) as session:
        plan_id = a_plan(session, name="Premium", includes_referral=True).id
    assert "Premium, with the referral prompt" in ada.get(f"/groups/{group_id}/edit").text
    assert ada.post(f"/groups/{group_id}/edit", name="Branch", plan_id=plan_id).status == 303
    assert stored(world, Group, group_id).plan_id == plan_id
    assert 'name="plan_id"' not in nora.get(f"/groups/{group_id}/edit").source
    assert nora.post(f"/groups/{group_id}/edit", name="Branch", plan_id="").status == 403


def test_a_group_moves_below_another(world: World, nora: Visit) -> None:
    group_id, other = below_north(world), below_north(world, name="Bough")
    asked = nora.get(f"/groups/{group_id}/move")
    assert "Bough" in asked.text
    assert f'value="{group_id}"' not in asked.source
    answer = nora.post(f"/groups/{group_id}/move", parent_id=other)
    assert (answer.status, answer.went_to) == (303, f"/groups/{group_id}")
    assert stored(world, Group, group_id).parent_id == other


@pytest.mark.parametrize("where", ["itself", "elsewhere", ""])
def test_a_group_does_not_move_where_it_cannot(world: World, nora: Visit, where: str) -> None:
    group_id = below_north(world)
    parent = {"itself": group_id, "elsewhere": world.south}.get(where, "")
    answer = nora.post(f"/groups/{group_id}/move", parent_id=parent)
    assert answer.status == 422
    assert answer.errors.keys() == {"parent_id"}
    assert stored(world, Group, group_id).parent_id == world.north


def test_a_group_is_archived_and_then_stays_as_it_is(world: World, nora: Visit) -> None:
    group_id = below_north(world)
    assert nora.get(f"/groups/{group_id}/archive").status == 200
    answer = nora.post(f"/groups/{group_id}/archive")
    assert (answer.status, answer.went_to) == (303, "/groups")
    assert stored(world, Group, group_id).archived_at is not None
    page = nora.get(f"/groups/{group_id}")
    assert "Archived" in page.text
    assert f"/groups/{group_id}/edit" not in page.links
    assert nora.post(f"/groups/{group_id}/edit", name="Twig").status == 422
    assert stored(world, Group, group_id).name == "Branch"


def test_a_group_with_campaigns_that_may_ring_is_not_archived(world: World, nora: Visit) -> None:
    group_id = below_north(world)
    with writing(world) as session:
        a_campaign(session, group_id=group_id, name="Leaflet")
    answer = nora.post(f"/groups/{group_id}/archive")
    assert answer.status == 422
    assert "campaigns that are not over: Leaflet" in answer.text
    assert stored(world, Group, group_id).archived_at is None


@pytest.mark.parametrize("act", ["edit", "move", "archive"])
def test_a_group_of_another_subtree_is_not_there(world: World, sue: Visit, act: str) -> None:
    assert sue.get(f"/groups/{world.north}").status == 404
    assert sue.get(f"/groups/{world.north}/{act}").status == 404
    assert sue.post(f"/groups/{world.north}/{act}", name="Mine", parent_id=world.south).status == 404


def test_nothing_is_created_in_another_subtree(world: World, sue: Visit) -> None:
    assert sue.get(f"/groups/new?parent_id={world.north}").status == 404
    assert sue.post("/groups/new", name="Mine", parent_id=world.north).status == 404


@pytest.mark.parametrize("act", ["edit", "move", "archive"])
def test_a_standard_user_looks_and_may_do_nothing(world: World, otis: Visit, act: str) -> None:
    group_id = below_north(world)
    shown = otis.get(f"/groups/{group_id}")
    assert shown.status == 200
    assert f"/groups/{group_id}/{act}" not in shown.links
    assert "/groups/new" not in otis.get("/groups").links
    assert otis.get(f"/groups/{group_id}/{act}").status == 403
    assert otis.post(f"/groups/{group_id}/{act}", name="Mine", parent_id=world.north).status == 403
    assert otis.post("/groups/new", name="Mine").status == 403


def test_the_group_at_the_top_is_edited_like_any_other(world: World, ada: Visit) -> None:
    shown = ada.get(f"/groups/{world.root}/edit")
    assert shown.status == 200
    assert "Empty: as" not in shown.text
    assert ada.post(f"/groups/{world.root}/edit", name="Holding", talk_limit="240").status == 303
    assert stored(world, Group, world.root).talk_limit == 240 * 60
    assert ada.post(f"/groups/{world.root}/edit", name="Holding", talk_limit="").status == 303


def test_ones_own_group_is_neither_moved_nor_archived(world: World, nora: Visit) -> None:
    shown = nora.get(f"/groups/{world.north}")
    assert f"/groups/{world.north}/edit" in shown.links
    assert not {f"/groups/{world.north}/move", f"/groups/{world.north}/archive"} & shown.links
    assert nora.post(f"/groups/{world.north}/move", parent_id=below_north(world)).status == 403
    assert nora.post(f"/groups/{world.north}/archive").status == 422
    assert stored(world, Group, world.north).archived_at is None


def test_every_link_leads_to_a_page(world: World, ada: Visit) -> None:
    group_id = below_north(world)
    for path in ("/groups", f"/groups/{group_id}"):
        found = ada.get(path).links
        assert found
        assert {link: ada.get(link).status for link in found} == dict.fromkeys(found, 200)
