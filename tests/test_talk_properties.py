"""However a talk goes, it ends as if it had gone straight; what is old or foreign changes nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import col, select

from storage.store import Store
from storage.tables import Draft
from tests.commune import Commune, Phone
from tests.people import filings, joined, kept, obligation_id

UNIT, TASK = "TTPVHCC", "2.16"
Truth = dict[str, tuple[str, str]]
"""By question code: what is typed, and how the last screen shows it."""
TRUTHS: tuple[Truth, ...] = (
    {"with_fee": ("150", "150 TTHC"), "offering": ("140", "140 TTHC"), "used": ("90", "90 TTHC")},
    {"with_fee": ("1.150", "1.150 TTHC"), "offering": ("0", "0 TTHC"), "used": ("", "0 TTHC")},
    {
        "with_fee": ("150", "150 TTHC"),
        "offering": ("chưa có số liệu", "chưa có, hẹn ngày 22/9"),
        "used": ("", "chưa có, hẹn ngày 22/9"),
    },
    {
        "with_fee": ("không thuộc đơn vị tôi", "không thuộc đơn vị"),
        "offering": ("", "không thuộc đơn vị"),
        "used": ("", "không thuộc đơn vị"),
    },
)
WRONG = ("abc", "-5", "99,5", "12%", "1/2/3", "không biết", "khoảng 20", "5 triệu", "9" * 30, "")
SLIPS = ("160", "7", "139", "không phát sinh", "120/130")
ASIDES = ("/nhiemvu", "/tonghop", "/trogiup", "tiếp", "bỏ qua", "/khong-co", "trợ giúp")

steps = st.one_of(
    st.just(("answer", "")),
    st.just(("answer", "")),
    st.sampled_from([("types", text) for text in (*WRONG, *SLIPS, *ASIDES)]),
    st.sampled_from([("types", "quay lại"), ("types", "/huy"), ("types", "huỷ"), ("types", "Quay lại")]),
    st.sampled_from([("edits", "1"), ("edits", "2"), ("edits", "3")]),
    st.sampled_from([("sends", "sticker"), ("restarts", ""), ("again", ""), ("leaves", "")]),
    st.integers(0, 40).map(lambda back: ("old", str(back))),
)


class Office:
    """The people of one unit at one report, and an outsider, each on their own phone."""

    def __init__(self, commune: Commune, truth: Truth) -> None:
        self.commune = commune
        self.truth = truth
        self.report = obligation_id(commune, UNIT, TASK)
        self.staff = [commune.person("thao"), joined(commune, "second", "staff", UNIT)]
        self.outsider = commune.person("tuan")
        self.outsider.says("/nhiemvu")
        self.last: tuple[Phone, str, str] | None = None
        self.seen: list[str] = []
        self.labels: dict[str, str] = {}
        self.staff[0].says(f"/report {self.report}")
        with commune.store.reading() as db:
            draft = db.exec(select(Draft).where(Draft.obligation_id == self.report)).one()
            self.labels = {question["label"]: question["code"] for question in draft.args["questions"]}

    def step(self, who: int, what: str, detail: str) -> None:
        phone = self.staff[who]
        match what:
            case "answer":
                self.answer(phone)
            case "types":
                self.say(phone, detail)
            case "edits" if "Sửa" in phone.labels:
                self.say(phone, "sửa")
                if "Sửa số nào?" in phone.last:  # else the button was an old one, and a digit might be another's
                    self.say(phone, detail)
            case "sends":
                phone.sends(detail)
            case "restarts":
                self.commune.restart()
            case "again" if self.last is not None:
                again, text, key = self.last
                before = kept(self.commune)
                assert again.says(text, key=key) == ""
                assert kept(self.commune) == before
            case "leaves" if "Để sau" in phone.labels:
                self.say(phone, "để sau")
            case "old":
                self.tap_old(phone, int(detail))
        self.seen += [token for token in phone.tokens if token.startswith("=")]

    def say(self, phone: Phone, text: str) -> None:
        key = f"said-{len(self.commune.outbox())}"
        phone.says(text, key=key)
        self.last = (phone, text, key)

    def answer(self, phone: Phone) -> None:
        """Answer truly what this phone shows last; the report is never sent here."""
        shown = phone.last.rpartition("\n\n")[2]
        asked = next((code for label, code in self.labels.items() if f"{label}?" in shown), None)
        if asked is not None:
            self.say(phone, self.truth[asked][0] or "0")
        elif "Ngày nào" in shown:
            self.say(phone, "22/9")
        elif "Số này có đúng" in shown:
            self.say(phone, "đúng, ghi số này")
        elif "Sửa số nào" in shown:
            self.say(phone, "1")
        elif "Gửi báo cáo này" in shown and (wrong := self.wrong_on(phone)):
            self.say(phone, "sửa")
            self.say(phone, wrong)
        else:
            self.say(phone, f"/report {self.report}")

    def wrong_on(self, phone: Phone) -> str | None:
        """The label of an asked figure that the last screen shows otherwise than it is."""
        for label, code in self.labels.items():
            typed, shown = self.truth[code]
            if typed and f"{label}: <b>{shown}</b>" not in phone.last:
                return label
        return None

    def tap_old(self, phone: Phone, back: int) -> None:
        """A button of an earlier step, or someone else's tap on any button, changes nothing."""
        with self.commune.store.reading() as db:
            draft = db.exec(select(Draft).order_by(col(Draft.id).desc())).first()
        assert draft is not None
        old = [token for token in self.seen if not token.startswith(f"={draft.id}.{draft.version}.")]
        before = kept(self.commune)
        if old:
            phone.taps_token(old[back % len(old)])
        for token in self.seen[-4:]:
            self.outsider.taps_token(token)
        assert kept(self.commune) == before

    def go_on(self, phone: Phone) -> None:
        """Answer what is asked; where the total is what was wrong, go back to it."""
        if "lớn hơn tổng đã ghi" in phone.last:
            phone.says("quay lại")
        else:
            self.answer(phone)

    def settle(self, phone: Phone) -> None:
        """Answer what is asked, keeping what was typed, until the report can be sent."""
        for _ in range(30):
            if "Gửi báo cáo này" in phone.last:
                return
            self.go_on(phone)
        raise AssertionError(f"the talk does not end: {phone.last}")

    def answers(self) -> dict[str, object]:
        """What stands in the draft, by the name of the question."""
        with self.commune.store.reading() as db:
            draft = db.exec(select(Draft).where(Draft.obligation_id == self.report)).one()
            return {name: answer["value"] for name, answer in draft.answers.items()}

    def finish(self, phone: Phone) -> dict[str, object]:
        """Answer until the report can be sent, send it; returns what was filed."""
        phone.says(f"/report {self.report}")
        for _ in range(30):
            if "Gửi báo cáo này" in phone.last and not self.wrong_on(phone):
                assert "Đã gửi" in phone.says("gửi")
                (filed,) = filings(self.commune, self.report)
                return dict(filed.answers)
            self.go_on(phone)
        raise AssertionError(f"the talk does not end: {phone.last}")


@contextmanager
def an_office(prepared: Path, truth: Truth) -> Iterator[Office]:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(prepared, Path(folder) / "commune.db")
        store = Store(f"sqlite:///{Path(folder) / 'commune.db'}")
        try:
            yield Office(Commune(store, datetime(2025, 9, 15, 7, 0, tzinfo=UTC)), truth)
        finally:
            store.close()


@cache
def straight(prepared: Path, truth: int) -> dict[str, object]:
    """What is filed when every question is answered in turn."""
    with an_office(prepared, TRUTHS[truth]) as office:
        return office.finish(office.staff[0])


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, len(TRUTHS) - 1),
    st.lists(st.tuples(st.integers(0, 1), steps), max_size=25),
    st.integers(0, 1),
)
def test_however_the_talk_goes_it_ends_like_the_straight_one(
    prepared: Path, truth: int, played: list[tuple[int, tuple[str, str]]], sender: int
) -> None:
    with an_office(prepared, TRUTHS[truth]) as office:
        for who, (what, detail) in played:
            office.step(who, what, detail)
        assert office.finish(office.staff[sender]) == straight(prepared, truth)


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, len(TRUTHS) - 1),
    st.lists(st.tuples(st.sampled_from("123"), st.sampled_from((*SLIPS, "chưa có số liệu"))), max_size=3),
    st.integers(1, 8),
)
def test_going_back_and_keeping_changes_nothing_that_was_confirmed(
    prepared: Path, truth: int, corrected: list[tuple[str, str]], back: int
) -> None:
    with an_office(prepared, TRUTHS[truth]) as office:
        phone = office.staff[0]
        office.settle(phone)
        for which, typed in corrected:
            phone.says("sửa")
            phone.says(which)
            phone.says(typed)
            office.settle(phone)
        confirmed = office.answers()
        for _ in range(back):
            phone.says("quay lại")
        while "Gửi báo cáo này" not in phone.last:
            phone.taps("Giữ nguyên" if "Giữ nguyên" in phone.labels else "Đúng, ghi số này")
        assert office.answers() == confirmed
