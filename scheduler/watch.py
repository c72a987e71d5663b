"""Watching over the people and the program: once a day who can be reached, at every beat whether it worked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session, select

from scheduler.alerts import OUTAGE
from storage.absences import turning
from storage.alerts import OpenAlert, end_alert, open_alert, open_alerts
from storage.calendar import calendar_of
from storage.reach import unreached
from storage.service import TICK, beat, clear, last_beat, pulse
from storage.tables import Organization
from storage.waking import wake_of_member, wake_owed

OUTAGE_FROM = timedelta(minutes=30)
"""A shorter time without ticks, or without delivery, is told to nobody."""
CLOCK_BACK = timedelta(minutes=5)
OUTBOX = "outbox"
TOLD_FOR = timedelta(days=7)
"""That the program did not work is no news after so long."""
FIRST_LOOK_BACK = timedelta(days=31)


def watch(db: Session, now: datetime) -> None:
    """Note that the ticks go on, and what the coordinators are to be told of times in which they did not."""
    for from_at, what in _failures(db, now):
        for organization in db.exec(select(Organization)).all():
            _note_outage(db, organization, what, from_at, now)


@dataclass(frozen=True, slots=True)
class Survey:
    """What changed among the people of a commune since the last look: who left or came back, what is to be told
    of who cannot be reached, and what of it is past."""

    organization_id: int
    today: date
    turned: set[int]
    new: list[tuple[str, str]]
    past: list[int]


def to_survey(db: Session, now: datetime) -> list[Survey]:
    """Once on every working day, in office hours, for each commune; only reads."""
    organizations = db.exec(select(Organization)).all()
    return [
        _surveyed(db, organization, now) for organization in organizations if _is_to_survey(db, organization, now)
    ]


def keep_surveys(db: Session, surveys: Iterable[Survey], now: datetime) -> None:
    """Write what was found; the day counts as looked at."""
    for one in surveys:
        for member_id in one.turned:
            wake_of_member(db, one.organization_id, member_id)
        for alert_id in one.past:
            end_alert(db, alert_id, now)
        for kind, subject in one.new:
            open_alert(db, one.organization_id, kind, subject, {}, now)
        db.get_one(Organization, one.organization_id).surveyed_on = one.today
        db.flush()


def _failures(db: Session, now: datetime) -> list[tuple[datetime, str]]:
    """Times that just ended in which nothing was looked for, or nothing was delivered: since when, and what."""
    found = []
    before, stuck = last_beat(db, TICK), last_beat(db, OUTBOX)
    if before is not None and now - before > OUTAGE_FROM:
        found.append((before, "ticks"))
    if before is not None and before - now > CLOCK_BACK:
        for organization in db.exec(select(Organization)):
            wake_owed(db, organization.id or 0)  # what was looked at in a wrong future
    beat(db, TICK, now)
    health = pulse(db, now)
    if health.waited > OUTAGE_FROM and stuck is None and not found:
        beat(db, OUTBOX, health.oldest_waiting_at or now)
    elif stuck is not None and health.is_delivering:
        clear(db, OUTBOX)
        found.append((stuck, "delivery"))
    return found


def _note_outage(db: Session, organization: Organization, what: str, from_at: datetime, to_at: datetime) -> None:
    """Worth telling where people may have waited: some of it lay in office hours. In a demo the clock is moved."""
    if organization.is_demo or not _touches_office_hours(db, organization, from_at, to_at):
        return
    facts = {"what": what, "from": from_at.isoformat(), "to": to_at.isoformat()}
    open_alert(db, organization.id or 0, OUTAGE, from_at.isoformat(), facts, to_at)


def _touches_office_hours(db: Session, organization: Organization, from_at: datetime, to_at: datetime) -> bool:
    zone = ZoneInfo(organization.timezone)
    start, end = from_at.astimezone(zone), to_at.astimezone(zone)
    calendar = calendar_of(db, organization.id or 0)
    days = (start.date() + timedelta(days=n) for n in range((end.date() - start.date()).days + 1))
    return any(
        calendar.is_working(day)
        and datetime.combine(day, organization.office_from, zone) < end
        and datetime.combine(day, organization.office_to, zone) > start
        for day in days
    )


def _is_to_survey(db: Session, organization: Organization, now: datetime) -> bool:
    local = now.astimezone(ZoneInfo(organization.timezone))
    is_open = organization.office_from <= local.time() < organization.office_to
    return is_open and organization.surveyed_on != local.date() and _is_working(db, organization, local.date())


def _is_working(db: Session, organization: Organization, day: date) -> bool:
    return calendar_of(db, organization.id or 0).is_working(day)


def _surveyed(db: Session, organization: Organization, now: datetime) -> Survey:
    assert organization.id is not None
    today = now.astimezone(ZoneInfo(organization.timezone)).date()
    since = organization.surveyed_on or today - FIRST_LOOK_BACK
    known = open_alerts(db, organization.id)
    facts = {(one.kind, one.subject) for one in unreached(db, organization.id, now)}
    return Survey(
        organization.id,
        today,
        turning(db, organization.id, since, today),
        sorted(facts - {(alert.kind, alert.subject) for alert in known}),
        [alert.id for alert in known if _is_past(alert, facts, now)],
    )


def _is_past(alert: OpenAlert, facts: set[tuple[str, str]], now: datetime) -> bool:
    if alert.kind == OUTAGE:
        return not timedelta(0) <= now - alert.since <= TOLD_FOR  # also one of a wrong future
    return (alert.kind, alert.subject) not in facts
