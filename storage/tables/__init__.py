"""All tables. Every row belongs to an Organization (a stranger's chat excepted)."""

from storage.tables.chats import Audit, Conversation, Outgoing, Seen, SetAside
from storage.tables.people import Account, Invite, Member, Membership, Organization, Unit
from storage.tables.plan import AT_ONCE, Assignment, Baseline, CaseFile, Indicator, Obligation, Period, Plan, Task
from storage.tables.reminders import Alert, Broadcast, CalendarDay, Digest, Heartbeat, Reminder, Snooze
from storage.tables.reports import (
    Absence,
    Difficulty,
    Draft,
    Evidence,
    Extension,
    StoredFile,
    Submission,
)

__all__ = [
    "AT_ONCE",
    "Absence",
    "Account",
    "Alert",
    "Assignment",
    "Audit",
    "Baseline",
    "Broadcast",
    "CalendarDay",
    "CaseFile",
    "Conversation",
    "Difficulty",
    "Digest",
    "Draft",
    "Evidence",
    "Extension",
    "Heartbeat",
    "Indicator",
    "Invite",
    "Member",
    "Membership",
    "Obligation",
    "Organization",
    "Outgoing",
    "Period",
    "Plan",
    "Reminder",
    "Seen",
    "SetAside",
    "Snooze",
    "StoredFile",
    "Submission",
    "Task",
    "Unit",
]
