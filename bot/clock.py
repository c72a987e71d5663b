"""What time it is: the one place that reads the clock for the running program."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """The real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class MovedClock(Clock):
    """Real time seen from another day: the demo's clock, and a test's."""

    def __init__(self, ahead: timedelta) -> None:
        self.ahead = ahead

    @classmethod
    def at(cls, moment: datetime) -> MovedClock:
        """A clock that shows `moment` now and goes on from there."""
        return cls(moment - datetime.now(UTC))

    def now(self) -> datetime:
        return super().now() + self.ahead

    def move_to(self, moment: datetime) -> None:
        self.ahead = moment - datetime.now(UTC)
