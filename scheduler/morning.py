"""A morning: everything needed to tell who is to hear what on one day of one commune, read once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from plans.calendar import Calendar
from scheduler.ladder import Reached, Steps, first_of_week
from storage.alerts import OpenAlert, alerts_told, is_news, open_alerts
from storage.calendar import calendar_of
from storage.looking import (
    Looked,
    Recipient,
    Rules,
    Told,
    effective_on,
    is_anything_due,
    leaders_told,
    looked_at,
    recipients,
    rules_of,
    snoozed,
    told_of,
)
from storage.owed import Owed
from storage.tables import Organization

ASKED_FOR = timedelta(days=30)
"""After a plan's last period is locked, its reports are asked for this much longer: an old plan nags no one."""


@dataclass(slots=True)
class Rulebook:
    """The ladders of the commune's plans on one day."""

    today: date
    calendar: Calendar
    rules: dict[int, Rules]
    _steps: dict[int, Steps] = field(default_factory=dict)
    _effective: dict[tuple[date, bool, bool], date] = field(default_factory=dict)
    """Remembered, for most obligations are due on the same few days."""

    @classmethod
    def of(cls, db: Session, organization_id: int, today: date) -> Rulebook:
        return cls(today, calendar_of(db, organization_id), rules_of(db, organization_id))

    def steps(self, plan_id: int) -> Steps:
        """The plan's ladder as it stands today."""
        if plan_id not in self._steps:
            self._steps[plan_id] = Steps(self.rules[plan_id].ladder, self.today, self.calendar)
        return self._steps[plan_id]

    def effective_on(self, item: Looked | Owed) -> date:
        """The working day from which its rungs are counted."""
        key = (item.asked_on, item.is_case, item.promised_on is None)
        found = self._effective.get(key)
        if found is None:
            found = self._effective[key] = effective_on(item, self.calendar)
        return found

    def passed(self, item: Looked | Owed) -> int:
        """Working days from that day to today, negative before it."""
        return self.steps(item.plan_id).passed(self.effective_on(item))

    def is_asked_for(self, item: Looked | Owed) -> bool:
        """Owed, and its plan still in force; a case is asked for until it is closed."""
        rules = self.rules[item.plan_id]
        is_over = rules.is_archived or (rules.ends_on is not None and self.today > rules.ends_on + ASKED_FOR)
        return item.is_owed and (item.is_case or not is_over)

    def reached(self, item: Looked | Owed, role: str) -> Reached | None:
        """The newest rung that this role hears by today, however long ago; None when none.

        An outside body that is only requested hears nothing after its day. A figure that was promised is asked for
        from the promised day on, and not before.
        """
        effective = self.effective_on(item)
        if item.unit_kind == "requested" and self.today > effective:
            return None
        found = self.steps(item.plan_id).reached(role, effective)
        return None if found is None or (item.promised_on is not None and found.days < 0) else found

    def horizon(self) -> date:
        """The last day whose first rung is reached today; a day off counts as the working day before it."""
        rungs = [rung.days for rules in self.rules.values() for rung in rules.ladder.rungs]
        return self.calendar.shift(self.today, 1 - min(rungs, default=0)) - timedelta(days=1)


@dataclass(slots=True)
class Morning:
    """One day of one commune, as a tick sees it. `looked` is what may concern somebody."""

    organization_id: int
    now: datetime
    zone: ZoneInfo
    book: Rulebook
    looked: list[Looked]
    told: dict[tuple[int, int], list[Told]]
    snoozed: dict[tuple[int, int], datetime]
    alerts: list[OpenAlert]
    alerts_told: set[tuple[int, int]]
    people: list[Recipient]
    leaders_told: set[int]
    """Leaders who heard of what is late this week."""
    _by_unit: dict[int | None, list[Recipient]] = field(default_factory=dict)
    _put_off: dict[int, list[datetime]] = field(default_factory=dict)

    @property
    def today(self) -> date:
        return self.book.today

    def of_unit(self, unit_id: int) -> list[Recipient]:
        """Who hears of this unit as one of its own."""
        return self._sorted().get(unit_id, [])

    def for_commune(self, role: str) -> Iterator[Recipient]:
        """Who hears of every unit in this role."""
        return (one for one in self._sorted().get(None, ()) if one.role == role)

    def put_off_until(self, one: Recipient, item: Looked) -> datetime | None:
        """Until when its reader, or who it is meant for, does not want to hear of it; the later wish counts."""
        wishes = (self.snoozed.get((member_id, item.id)) for member_id in (one.reader_id, one.member_id))
        return max((until_at for until_at in wishes if until_at), default=None)

    def wishes_about(self, obligation_id: int) -> list[datetime]:
        """Until when people do not want to hear of it."""
        if not self._put_off:
            for (_, one_id), until_at in self.snoozed.items():
                self._put_off.setdefault(one_id, []).append(until_at)
        return self._put_off.get(obligation_id, [])

    def on(self, at: datetime) -> date:
        """The local day of an instant."""
        return at.astimezone(self.zone).date()

    def _sorted(self) -> dict[int | None, list[Recipient]]:
        if not self._by_unit:
            for one in self.people:
                self._by_unit.setdefault(one.unit_id, []).append(one)
        return self._by_unit


def morning_of(db: Session, organization: Organization, now: datetime) -> Morning | None:
    """The morning as it stands now; None on days off, outside office hours and when nothing is to be looked at."""
    assert organization.id is not None
    zone = ZoneInfo(organization.timezone)
    local = now.astimezone(zone)
    today = local.date()
    if not organization.office_from <= local.time() < organization.office_to:
        return None
    if not is_news(db, organization.id) and not is_anything_due(db, organization.id, today):
        return None
    book = Rulebook.of(db, organization.id, today)
    if not book.calendar.is_working(today):
        return None
    monday = datetime.combine(first_of_week(today, book.calendar), time(), zone)
    return Morning(
        organization.id,
        now,
        zone,
        book,
        looked_at(db, organization.id, today),
        told_of(db, organization.id, today),
        snoozed(db, organization.id, today),
        open_alerts(db, organization.id),
        alerts_told(db, organization.id),
        recipients(db, organization.id, today),
        leaders_told(db, organization.id, monday),
    )
