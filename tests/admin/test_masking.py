"""Where a group wants it, standard users see callers' numbers masked, wherever they look."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from sqlalchemy.orm import Session

from admin import call_story
from admin.access.actor import Actor
from admin.lists import calls
from models.call import Call
from models.call_event import LoggedEvent
from models.database import Database
from models.user import Role
from routing.events import EventKind
from tests.builders import CALLER, NOW, TRACKING, a_group
from tests.models.reporting.log import logged


@dataclass(frozen=True)
class Scene:
    """A group that masks its callers, one below that does as it says, and one below that does not."""

    top: int
    below: int
    open: int


@pytest.fixture
def scene(database: Database) -> Scene:
    with database.session() as session:
        top = a_group(session, mask_callers=True).id
        below = a_group(session, parent_id=top).id
        shown = a_group(session, parent_id=top, mask_callers=False).id
        for group_id in (top, below, shown):
            call = logged(
                session,
                group_id=group_id,
                caller=CALLER,
                tracking_number=TRACKING,
                forwarded_from=CALLER,
                facts={"number": "1 7 1", "blocks": f"{CALLER.e164} 3"},
            )
            session.add(
                LoggedEvent(
                    carrier=call.carrier,
                    call_sid=call.call_sid,
                    kind=EventKind.CALL,
                    key="completed",
                    received_at=NOW,
                    raw={"From": CALLER.e164, "To": TRACKING.e164, "Caller": CALLER.digits},
                )
            )
    return Scene(top, below, shown)


def somebody(scene: Scene, role: Role = Role.STANDARD) -> Actor:
    return Actor(7, scene.top, role, "UTC")


def listed(session: Session, actor: Actor) -> dict[int | None, str]:
    return {
        call.group_id: call.caller.e164 for call in calls.page(session, actor, {}, NOW).items if call.caller
    }


def exported(session: Session, actor: Actor) -> dict[int | None, str]:
    names = [str(column.key) for column in calls.EXPORTED]
    group_id, caller = names.index("group_id"), names.index("caller")
    return {row[group_id]: row[caller] for rows in calls.all_rows(session, actor, {}) for row in rows}


@pytest.mark.parametrize("shown", [listed, exported])
def test_a_standard_user_sees_what_the_group_says_and_an_admin_everything(
    database: Database, scene: Scene, shown: Callable[[Session, Actor], dict[int | None, str]]
) -> None:
    with database.reading() as session:
        assert shown(session, somebody(scene)) == {
            scene.top: CALLER.masked,
            scene.below: CALLER.masked,
            scene.open: CALLER.e164,
        }
        assert set(shown(session, somebody(scene, Role.ADMIN)).values()) == {CALLER.e164}


def test_nothing_of_a_call_gives_its_caller_away(database: Database, scene: Scene) -> None:
    with database.reading() as session:
        actor = somebody(scene)
        for call in calls.page(session, actor, {"group_id": scene.below}, NOW).items:
            detail = calls.one(session, actor, call.id, NOW)
            row = session.get_one(Call, call.id)
            [report] = call_story.reported(session, actor, row)
            everything = f"{detail.model_dump_json()} {report.fields} {call_story.why(session, actor, row)}"
            assert CALLER.digits not in everything
            assert report.fields["From"] == CALLER.masked
            assert report.fields["To"] == TRACKING.e164


@pytest.mark.parametrize("written", [CALLER.e164, CALLER.digits[-4:]])
def test_asking_for_a_caller_does_not_tell_who_he_is(database: Database, scene: Scene, written: str) -> None:
    with database.reading() as session:
        found = calls.page(session, somebody(scene), {"caller": written}, NOW).items
        assert [call.group_id for call in found] == [scene.open]
        assert len(calls.page(session, somebody(scene, Role.ADMIN), {"caller": written}, NOW).items) == 3
