"""`/api/v1/saved-filters`."""

from typing import Any, get_args

from admin import saved_filters as use_cases
from admin.api.operations import Asked, Resource
from admin.errors import NotThere
from admin.saved_filters import FilteredPage, FilterToSave
from admin.views import Page, SavedFilterView

saved_filters = Resource(
    "saved-filters", "Saved filters", "How you want to see a page at every visit, until you reset it."
)

SAVED: dict[str, Any] = {
    "page": "campaigns",
    "query": "state=live&sort=name",
    "updated_at": "2026-07-01T07:00:00Z",
}
_PAGE = {"page": {"type": "string", "enum": list(get_args(FilteredPage)), "example": "campaigns"}}


@saved_filters.get(
    "", answers=Page[SavedFilterView], example={"items": [SAVED], "next_cursor": None, "total": None}
)
def list_saved_filters(asked: Asked) -> Page[SavedFilterView]:
    """List your saved filters."""
    return Page(items=use_cases.saved(asked.session, asked.actor))


@saved_filters.get("/<page>", parts=_PAGE, answers=SavedFilterView, example=SAVED)
def show_saved_filter(asked: Asked, page: str) -> SavedFilterView:
    """Show what you saved for a page."""
    for kept in use_cases.saved(asked.session, asked.actor):
        if kept.page == page:
            return kept
    raise NotThere("nothing is saved for this page")


@saved_filters.post(
    "",
    body=FilterToSave,
    sends={"page": "campaigns", "query": "state=live&sort=name"},
    answers=SavedFilterView,
    example=SAVED,
)
def save_filter(asked: Asked) -> SavedFilterView:
    """Save the filters of a page, in place of what was saved for it."""
    return use_cases.view(use_cases.save(asked.session, asked.actor, asked.raw, asked.now))


@saved_filters.delete("/<page>", parts=_PAGE)
def reset_filter(asked: Asked, page: str) -> None:
    """Forget what was saved for a page, if anything was."""
    if page not in get_args(FilteredPage):
        raise NotThere("there is no such page")
    use_cases.reset(asked.session, asked.actor, page)
