"""What reminders are made of at the moment of sending, by the name in the outbox."""

from scheduler import digest, snoozed
from scheduler.making import Maker

MAKERS: dict[str, Maker] = {"digest": digest.MAKER, "snoozed": snoozed.MAKER}
