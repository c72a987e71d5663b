"""What is due: the rules of reminders and the ticks that find them.

A new kind of reminder is one file here, its sentences in messages/, and one line below.
"""

from scheduler import alerts, deadlines, lateness, silence
from scheduler.kinds import Kind

KINDS: tuple[Kind, ...] = (
    deadlines.KIND,
    lateness.KIND,
    silence.KIND,
    alerts.KIND,
)
"""In the order of their sections."""
