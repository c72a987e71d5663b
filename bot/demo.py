"""The demo: the whole product on example people, on a clock that can be moved, in this computer's browser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func
from sqlmodel import Session, col, select

from bot.assemble import PLAN, App, load_commune, open_store
from bot.browser import Browser
from bot.browser_chats import Earlier
from bot.browser_chats import Person as Someone
from bot.clock import MovedClock
from bot.example import CHANNEL, load_example
from bot.platform import Choice
from bot.settings import Settings
from handlers.help import offered
from handlers.snooze import AFTERNOON
from messages import plain
from plans.file import read_plan
from scheduler.rehearsal import next_day
from storage.chats import Person, Role
from storage.store import Store
from storage.tables import (
    Account,
    Conversation,
    Member,
    Membership,
    Organization,
    Outgoing,
    Unit,
)

BEGINS = datetime(2025, 9, 15, 1, 5, tzinfo=UTC)
"""08:05 on Monday 15/9/2025: the third quarter's figures closed yesterday, the units report by Wednesday."""
MORNING = time(7, 30)


def build(settings: Settings, opened: Callable[[str], None]) -> App:
    """The demo's program; its database is made on the first start and goes on from where it stopped.

    `opened` is told the address to open.
    """
    store = open_store(settings, is_demo=True)
    with store.reading() as db:
        is_new = db.exec(select(Organization)).first() is None
    if is_new:
        with store.writing() as db:
            load_demo(db, settings.timezone)
    with store.reading() as db:
        clock = MovedClock.at(max(BEGINS, _newest_moment(db)))
    demo = Demo(store, clock, ZoneInfo(settings.timezone))
    browser = Browser(settings.listen_on, demo.people, demo.zone, demo, demo.history)
    demo.app = App(store, [browser], clock, lambda _: opened(browser.address))
    return demo.app


def load_demo(db: Session, timezone: str) -> None:
    """The Phú Tân plan with the example's people, who chat in the browser."""
    organization = load_commune(db, read_plan(PLAN), timezone, BEGINS)
    organization.is_demo = True
    load_example(db, organization, BEGINS, with_chats=True)


class Demo:
    """What the browser chat needs of the demo: its people, its clock, what was said before."""

    app: App

    def __init__(self, store: Store, clock: MovedClock, zone: ZoneInfo) -> None:
        self._store = store
        self._clock = clock
        self.zone = zone

    def now(self) -> datetime:
        """The instant it is in the demo."""
        return self._clock.now()

    async def move_to(self, at: datetime) -> None:
        """Let it become `at` and plan what is due then."""
        self._clock.move_to(at)
        await self.app.ticker.tick()
        self.app.delivery.wake()

    def choices(self) -> Sequence[tuple[str, datetime]]:
        """07:30 tomorrow, 07:30 on the next day on which somebody is reminded, and 13:30 today before that."""
        today = self.now().astimezone(self.zone).date()
        moves = [("tomorrow", self._at(today + timedelta(days=1), MORNING))]
        with self._store.reading() as db:
            organization_id = db.exec(select(Organization.id)).one()
            next_rung = next_day(db, organization_id or 0, today, self.now())
        if next_rung is not None:
            moves.append(("next_rung", self._at(next_rung, MORNING)))
        if self.now() < (afternoon := self._at(today, AFTERNOON)):
            moves.append(("afternoon", afternoon))
        return moves

    def people(self) -> list[Someone]:
        """Everybody with a browser chat, as the page lists them."""
        with self._store.reading() as db:
            rows = db.exec(
                select(Account, Member, Membership, Unit)
                .join(Member, col(Member.id) == Account.member_id)
                .join(Membership, col(Membership.member_id) == Member.id)
                .outerjoin(Unit, col(Unit.id) == Membership.unit_id)
                .where(Account.channel == CHANNEL)
                .order_by(col(Unit.id).nulls_first(), col(Membership.id))
            ).all()
        return [_person(account, member, held, unit) for account, member, held, unit in rows]

    def history(self, chat_id: str) -> list[Earlier]:
        """What was said to this chat before this start."""
        with self._store.reading() as db:
            rows = db.exec(
                select(Outgoing)
                .join(Account, col(Account.id) == Outgoing.account_id)
                .where(
                    Account.channel == CHANNEL,
                    Account.chat_id == chat_id,
                    Outgoing.kind == "text",
                    Outgoing.state == "sent",
                )
                .order_by(col(Outgoing.id).desc())
                .limit(20)
            ).all()
        return [_earlier(row) for row in reversed(rows) if row.body]

    def _at(self, day: date, hour: time) -> datetime:
        return datetime.combine(day, hour, self.zone).astimezone(UTC)


def _person(account: Account, member: Member, held: Membership, unit: Unit | None) -> Someone:
    role = Role(held.role, held.unit_id, None)
    person = Person(member.id or 0, member.name, member.organization_id, (role,))
    return Someone(
        account.chat_id,
        member.name,
        held.role,
        plain("help.role", role=held.role),
        unit.name if unit else plain("help.commune"),
        tuple((command.name, plain(f"{command.name}.as_menu")) for command in offered(person)),
    )


def _earlier(row: Outgoing) -> Earlier:
    body = row.body or {}
    choices = tuple(Choice(token, label) for token, label in body["choices"])
    return Earlier(row.platform_id or "", body["text"], choices, row.sent_at or row.created_at)


def _newest_moment(db: Session) -> datetime:
    """The newest instant the database knows of, so that a restarted demo goes on from there."""
    moments = [db.exec(select(func.max(column))).one() for column in (Outgoing.created_at, Conversation.heard_at)]
    return max([moment for moment in moments if moment is not None], default=BEGINS)
