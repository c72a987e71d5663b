"""Alerts: who cannot be reached, units with nobody, and times in which the program did not work. Told once."""

from __future__ import annotations

from collections.abc import Iterator

from messages import plain, say
from scheduler.kinds import FOR_ALL, Kind, Reading, Section, never
from scheduler.morning import Morning
from storage.alerts import open_alerts
from storage.looking import Recipient
from storage.reach import unreached
from storage.reminding import Line

ALERT = "alert"
SHOWN = 4
OUTAGE = "outage"


def lines(morning: Morning) -> Iterator[tuple[Recipient, Line]]:
    """Every open alert that a coordinator was not told yet."""
    for one in morning.for_commune("coordinator"):
        for alert in morning.alerts:
            if (one.member_id, alert.id) not in morning.alerts_told:
                day = morning.on(alert.since)
                yield one, Line(one.member_id, ALERT, None, 0, day, alert.id)


def section(reading: Reading) -> Section | None:
    """The alerts of this digest that are still so, times of failure first."""
    asked = {line.alert_id for line in reading.of_kind(ALERT)}
    alerts = [alert for alert in open_alerts(reading.db, reading.organization_id) if alert.id in asked]
    outages = [alert for alert in alerts if alert.kind == OUTAGE]
    named = {(alert.kind, alert.subject) for alert in alerts}
    people = (
        [
            one
            for one in unreached(reading.db, reading.organization_id, reading.now)
            if (one.kind, one.subject) in named
        ]
        if named
        else []
    )
    if not outages and not people:
        return None
    text = say(
        "alerts.section",
        outages=outages,
        people=people[:SHOWN],
        rest=len(people[SHOWN:]),
        zone=reading.zone,
    )
    brief = say("alerts.brief", outages=outages, people=people, zone=reading.zone)
    choices = [["/members", plain("alerts.label_members")]] if people else []
    return Section(text, choices, alerts=frozenset(alert.id for alert in alerts), units=FOR_ALL, brief=brief)


KIND = Kind((ALERT,), lines, never, section)
