"""A reminder somebody asked for themselves, for later the same day."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from messages import plain, say
from scheduler.deadlines import report_token
from scheduler.making import Made, Maker
from scheduler.morning import Rulebook
from storage.owed import find_owed
from storage.tables import Organization


def make(db: Session, args: dict[str, Any], now: datetime) -> Made | None:
    """What they wanted to be reminded of, as far as it is still owed; None when it is not."""
    organization = db.get_one(Organization, args["organization_id"])
    today = now.astimezone(ZoneInfo(organization.timezone)).date()
    book = Rulebook.of(db, args["organization_id"], today)
    found = [find_owed(db, args["organization_id"], obligation_id) for obligation_id in args["obligations"]]
    owed = [item for item in found if item is not None and book.is_asked_for(item)]
    if not owed:
        return None
    choices = [[report_token(item), plain("tasks.label_report", item=item, among=owed)] for item in owed]
    return Made(str(say("snooze.again", owed=owed, today=today)), choices)


MAKER = Maker(make)
