"""/summary: at most five lines first, the worst first; then by unit, by task, who has not reported."""

from __future__ import annotations

import re
from typing import Any

from handlers import access
from handlers.conversation import Command, Conversation
from handlers.desk import Desk, button, page_of
from plans.periods import read_period
from storage.calendar import calendar_of
from storage.owed import Owed, current_period, owed_until
from storage.snoozes import past_due
from storage.standing import Standing, standing

VIEWS = ("unit", "task", "missing")
ASKED = re.compile(r"(.*?)\s*(?:\b(overview|unit|task|missing)(?: (\d+))?)?", re.DOTALL)
PAGE = 8


def summary(desk: Desk, argument: str) -> None:
    """`argument`: a period ("quý III"), a view ("unit", "task", "missing") and its page, each optional."""
    asked = ASKED.fullmatch(argument)
    assert asked is not None
    code = read_period(asked[1]) if asked[1] else None
    person = desk.person
    period = current_period(desk.db, person.organization_id, desk.today, code)
    if period is None or (asked[1] and code is None):
        return desk.reply("summary.no_period", code=asked[1][:20])
    units = access.units_for(person, "summary")
    calendar = calendar_of(desk.db, person.organization_id)
    found = standing(desk.db, person.organization_id, period, units, desk.today, calendar)
    before = owed_until(desk.db, person.organization_id, units, period.unit_due)
    _show(desk, found, before, asked[2] or "overview", int(asked[3] or 0), is_whole=units is None)


def _show(desk: Desk, found: Standing, before: list[Owed], view: str, page: int, is_whole: bool) -> None:
    views: dict[str, list[Any]] = {
        "unit": list(found.by_unit().items()),
        "task": found.tasks,
        "missing": found.missing,
    }
    rows = views.get(view, [])
    shown, rest = page_of(rows, page, PAGE)
    code = found.period.code
    choices = [
        button(f"/summary {code} {other}", f"summary.label_{other}")
        for other in ("overview", *VIEWS)
        if other != view and (is_whole or other != "unit")
    ]
    if rest:
        choices.insert(0, button(f"/summary {code} {view} {page + 1}", "summary.label_more", rest=rest))
    if view == "overview":
        late = {item.period_code: item for item in before if item.period_id not in (found.period.id, None)}
        choices += [button(f"/summary {one}", "summary.label_before", item=late[one]) for one in late]
    may_open = access.has(desk.person, "case")
    told_of = {"overview": found.cases, "missing": found.late_cases}
    if may_open and told_of.get(view):
        choices.append(button("/case", "case.as_button"))
    put_off = past_due(desk.db, desk.person.organization_id, desk.now) if view == "missing" else {}
    facts: dict[str, Any] = {"put_off": put_off, "zone": desk.chat.zone, "is_named": may_open}
    desk.reply(f"summary.{view}", choices, found=found, rows=shown, is_whole=is_whole, **facts)
    desk.replies[-1].replaces = True


CONVERSATION = Conversation(commands=(Command("summary", "tonghop", "summary", summary),))
