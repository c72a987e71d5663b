"""Watching over the people and the program: once a day who can be reached, at every beat whether it worked."""

from __future__ import annotations

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
    survey(db, now)


def survey(db: Session, now: datetime) -> None:
    """Once on every working day, in office hours: who left, who is back, and who cannot be reached."""
    for organization in db.exec(select(Organization)).all():
        if _is_to_survey(db, organization, now):
            _survey(db, organization, now)


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


def _survey(db: Session, organization: Organization, now: datetime) -> None:
    assert organization.id is not None
    today = now.astimezone(ZoneInfo(organization.timezone)).date()
    since = organization.surveyed_on or today - FIRST_LOOK_BACK
    for member_id in turning(db, organization.id, since, today):
        wake_of_member(db, organization.id, member_id)
    known = open_alerts(db, organization.id)
    facts = {(one.kind, one.subject) for one in unreached(db, organization.id, now)}
    for alert in known:
        if _is_past(alert, facts, now):
            end_alert(db, alert.id, now)
    for kind, subject in sorted(facts - {(alert.kind, alert.subject) for alert in known}):
        open_alert(db, organization.id, kind, subject, {}, now)
    organization.surveyed_on = today


def _is_past(alert: OpenAlert, facts: set[tuple[str, str]], now: datetime) -> bool:
    if alert.kind == OUTAGE:
        return not timedelta(0) <= now - alert.since <= TOLD_FOR  # also one of a wrong future
    return (alert.kind, alert.subject) not in facts
