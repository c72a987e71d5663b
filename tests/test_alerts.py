"""Who cannot be reached is told to every coordinator once, in the digest, as long as it is so."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from sqlmodel import Session, col, delete, select

from storage.absences import add_absence
from storage.chats import set_reachable
from storage.people import make_invite
from storage.tables import Account, Alert, Conversation, Member, Membership, Organization, Reminder, Unit
from tests.commune import Commune
from tests.fakes import account, local
from tests.people import joined
from tests.test_digest import deliver_at, file, give_role, heard_on, plan, run_of, ticks_at


@pytest.fixture
def commune(commune: Commune) -> Commune:
    """Nobody owes anything soon but Phòng Kinh tế, which hears on 8/9 and 12/9."""
    for unit in ("VHXH", "TTPVHCC", "VP"):
        file(commune, unit)
    return commune


def reach(commune: Commune, chat_id: str, is_reachable: bool) -> None:
    with commune.store.writing() as db:
        set_reachable(db, commune.account_id(chat_id), is_reachable)


def days_of(commune: Commune, first: date = date(2025, 9, 4), count: int = 8) -> list[str]:
    """When the coordinator hears something, before anything is late."""
    return heard_on(commune, run_of(first, count)).get("lan", [])


def alerts(commune: Commune) -> list[tuple[str, bool]]:
    """(kind, has ended) of each."""
    with commune.store.reading() as db:
        return [(row.kind, row.ended_at is not None) for row in db.exec(select(Alert).order_by(col(Alert.id)))]


def test_who_closed_their_chat_is_told_once_with_the_phone(commune: Commune) -> None:
    with commune.store.writing() as db:
        db.get_one(Member, account(commune.store, "mai").member_id).phone = "0912345678"
    reach(commune, "mai", False)
    assert days_of(commune) == ["4/9"]
    lan = commune.person("lan")
    assert (
        "Chưa liên hệ được qua chương trình:\n• Lê Ngọc Mai (Phòng Văn hóa – Xã hội): không nhận được tin"
        in lan.last
    )
    assert "0912" in lan.last
    assert lan.labels == ["Xem thành viên"]
    assert "Lê Ngọc Mai" in lan.taps("Xem thành viên") + lan.taps("Phòng Văn hóa – Xã hội")


def test_who_comes_back_and_closes_it_again_is_told_anew(commune: Commune) -> None:
    reach(commune, "mai", False)
    assert days_of(commune, count=1) == ["4/9"]
    reach(commune, "mai", True)
    assert days_of(commune, date(2025, 9, 5), 4) == []
    assert alerts(commune) == [("blocked", True)]
    reach(commune, "mai", False)
    assert days_of(commune, date(2025, 9, 9), 3) == ["9/9"]
    assert alerts(commune) == [("blocked", True), ("blocked", False)]


def test_who_came_back_before_it_is_sent_is_not_told(commune: Commune) -> None:
    reach(commune, "mai", False)
    plan(commune, local(4, 7, 30))
    reach(commune, "mai", True)
    assert "lan" not in deliver_at(commune, local(4, 7, 31))


def test_an_invitation_not_taken_up_is_told_after_a_week(commune: Commune) -> None:
    with commune.store.writing() as db:
        unit_id = db.exec(select(Unit.id).where(Unit.code == "KT")).one()
        make_invite(db, 1, unit_id, "staff", local(2, 10), "Trần Thị Mới")
    assert days_of(commune, count=14) == ["10/9"]
    heard = "• Trần Thị Mới, cán bộ đầu mối (Phòng Kinh tế): chưa tham gia"
    assert heard in commune.person("lan").last


def test_a_unit_with_nobody_is_told_once_and_nobody_else_hears_for_it(commune: Commune) -> None:
    with commune.store.writing() as db:
        for chat_id in ("tuan", "dung"):
            db.exec(
                delete(Membership).where(col(Membership.member_id) == account(commune.store, chat_id).member_id)
            )
    heard = heard_on(commune, run_of(date(2025, 9, 4), 12))
    assert heard["lan"] == ["4/9"]
    assert {"tuan", "dung"} & set(heard) == set()
    assert "• Phòng Kinh tế: chưa có ai nhận tin, còn báo cáo phải gửi" in commune.person("lan").last


def test_a_unit_whose_people_are_all_away_is_told_once_until_somebody_is_back(commune: Commune) -> None:
    tuan, dung = (account(commune.store, chat_id).member_id or 0 for chat_id in ("tuan", "dung"))
    with commune.store.writing() as db:
        add_absence(db, 1, tuan, date(2025, 9, 5), date(2025, 9, 30), dung)
        add_absence(db, 1, dung, date(2025, 9, 11), date(2025, 9, 15), None)
    heard = heard_on(commune, run_of(date(2025, 9, 5), 11))
    assert (heard["lan"], heard["dung"]) == (["11/9"], ["8/9"])
    lan = commune.person("lan")
    assert "• Phòng Kinh tế: những người nhận tin đều vắng đến hết 15/9" in lan.last
    assert "những người nhận tin đều vắng đến hết 15/9." in lan.taps("Xem thành viên") + lan.taps("Phòng Kinh tế")
    assert "dung" in ticks_at(commune, local(16, 9))
    assert alerts(commune) == [("away_unit", True)]


def test_it_joins_what_else_the_coordinator_is_to_hear(commune: Commune) -> None:
    ticks_at(commune, local(19, 9))
    reach(commune, "mai", False)
    ticks_at(commune, local(22, 9))
    text = commune.person("lan").last
    assert text.index("việc quá hạn") < text.index("Chưa liên hệ được")


def test_every_coordinator_is_told_once_also_one_who_joins_later(commune: Commune) -> None:
    give_role(commune, "mattran", "VHXH", "coordinator")
    reach(commune, "mai", False)
    assert {"lan", "mattran"} < set(ticks_at(commune, local(4, 9)))
    new = joined(commune, "new", "coordinator", "VHXH")
    heard = heard_on(commune, run_of(date(2025, 9, 4), 10), hours=(10, 15))
    assert heard["new"] == ["4/9"]
    assert "Lê Ngọc Mai (Phòng Văn hóa – Xã hội): không nhận được tin" in new.last
    assert {"lan", "mattran"} & set(heard) == set()


def test_what_expired_undelivered_is_told_on_the_next_working_day(commune: Commune) -> None:
    reach(commune, "mai", False)
    plan(commune, local(5, 16, 59))
    assert deliver_at(commune, local(5, 17, 0)) == []
    assert days_of(commune, date(2025, 9, 6), 5) == ["8/9"]


def test_many_are_counted(commune: Commune) -> None:
    for chat_id in ("mai", "thao", "khoa", "yen", "son", "hung"):
        reach(commune, chat_id, False)
    ticks_at(commune, local(4, 9))
    assert commune.person("lan").last.count("không nhận được tin") == 4
    assert "khác." in commune.person("lan").last


def test_where_no_coordinator_can_be_reached_it_waits_for_one(commune: Commune) -> None:
    reach(commune, "mai", False)
    reach(commune, "lan", False)
    assert days_of(commune, count=4) == []
    reach(commune, "lan", True)
    assert days_of(commune, date(2025, 9, 8), 3) == ["8/9"]
    assert "Lê Ngọc Mai" in commune.person("lan").last
    assert "Nguyễn Thị Lan" not in commune.person("lan").last


def test_a_coordinator_who_comes_back_hears_of_everything_once_and_nobody_else_again(commune: Commune) -> None:
    give_role(commune, "lan", "KT", "staff")
    lan = commune.person("lan")
    reach(commune, "mai", False)
    assert days_of(commune, date(2025, 9, 8), 2) == ["8/9"]
    assert "• Lê Ngọc Mai" in lan.last
    reach(commune, "lan", False)
    assert days_of(commune, date(2025, 9, 10), 14) == []
    commune.clock.moment = local(24, 7, 0)
    lan.says("/tonghop")
    assert heard_on(commune, [date(2025, 9, 24)], hours=(8, 11, 16)) == {"lan": ["24/9"]}
    assert "Phòng Kinh tế còn " in lan.last
    assert "việc quá hạn</b> cần đôn đốc" in lan.last
    assert "• Lê Ngọc Mai" not in lan.last
    assert days_of(commune, date(2025, 9, 25), 1) == ["25/9"]  # the next step
    with commune.store.reading() as db:
        sent = [row for row in db.exec(select(Reminder)) if row.sent_at]
    lines = [(row.member_id, row.kind, row.obligation_id, row.alert_id, row.rung, row.due_on) for row in sent]
    assert len(lines) == len(set(lines))


def test_people_of_another_commune_are_not_told_here(commune: Commune) -> None:
    with commune.store.writing() as db:
        other = _another(db, local(1))
    with commune.store.writing() as db:
        set_reachable(db, other, False)
    assert days_of(commune, count=3) == []


def _another(db: Session, now: datetime) -> int:
    organization = Organization(
        code="khac", name="xã khác", superior="-", coordinator_code="-", timezone="Asia/Tokyo"
    )
    db.add(organization)
    db.flush()
    mine = {"organization_id": organization.id}
    member = Member.model_validate(mine | {"name": "Người Khác", "joined_at": now})
    db.add(member)
    db.flush()
    held = Account.model_validate(mine | {"member_id": member.id, "channel": "browser", "chat_id": "khac"})
    db.add_all([held, Membership.model_validate(mine | {"member_id": member.id, "role": "leader"})])
    db.flush()
    db.add(Conversation(account_id=held.id or 0))
    return held.id or 0
