"""All tables. Every row belongs to an Organization (a stranger's chat excepted)."""

from storage.tables.chats import Audit, Conversation, Outgoing, Seen, SetAside
from storage.tables.people import Account, Invite, Member, Membership, Organization, Unit
from storage.tables.plan import Assignment, Baseline, Indicator, Obligation, Period, Plan, Task
from storage.tables.reminders import Broadcast, CalendarDay, Digest, Reminder, Snooze
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
    "Absence",
    "Account",
    "Assignment",
    "Audit",
    "Baseline",
    "Broadcast",
    "CalendarDay",
    "Conversation",
    "Difficulty",
    "Digest",
    "Draft",
    "Evidence",
    "Extension",
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
