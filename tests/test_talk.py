"""The engine in small: shared drafts, buttons, redeliveries, failures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import select

import handlers
from handlers.conversation import FlowKind
from handlers.talk import Talk
from storage.tables import Draft, Outgoing, Seen, SetAside
from tests.commune import Commune, Phone
from tests.people import figures, filings, joined, kept, obligation_id


def two_colleagues(commune: Commune) -> tuple[Phone, Phone, int]:
    """Two people of one unit, both shown the first question of the same report."""
    report = obligation_id(commune, "TTPVHCC", "2.5")
    first, second = commune.person("thao"), joined(commune, "second", "staff", "TTPVHCC")
    assert "1/2. " in first.says(f"/report {report}")
    assert "1/2. " in second.says(f"/report {report}")
    return first, second, report


def test_colleagues_share_one_draft(commune: Commune) -> None:
    first, second, report = two_colleagues(commune)
    first.says("3390")
    assert "2/2. " in second.says("tiếp")
    second.says("3330")
    assert "<b>3.330 hồ sơ</b>" in first.says("tiếp")
    first.says("gửi")
    assert figures(commune, report) == {"settled": "3390", "on_time": "3330"}


def test_an_answer_meant_for_one_question_never_lands_in_the_next(commune: Commune) -> None:
    first, second, report = two_colleagues(commune)
    first.says("3390")
    heard = second.says("3333")
    assert "Đồng nghiệp" in heard
    assert "2/2. " in heard
    assert "3.333" not in heard
    second.plays(("3330", "98,23%"), ("gửi", "Đã gửi"))
    assert figures(commune, report) == {"settled": "3390", "on_time": "3330"}


def test_a_label_typed_for_one_question_never_answers_the_next(commune: Commune) -> None:
    first, second, _ = two_colleagues(commune)
    first.says("3390")
    before = kept(commune)
    assert "2/2. " in second.says("không phát sinh")
    assert kept(commune) == before


def test_going_back_never_undoes_what_a_colleague_answered_meanwhile(commune: Commune) -> None:
    first, second, _ = two_colleagues(commune)
    first.says("3390")
    before = kept(commune)
    assert "2/2. " in second.says("quay lại")
    assert kept(commune) == before


@pytest.mark.parametrize("said", ["3330", "gửi", "quay lại", "tiếp", "bỏ qua", "huỷ", "1", "a"])
def test_what_a_colleague_has_sent_is_not_sent_again(commune: Commune, said: str) -> None:
    first, second, report = two_colleagues(commune)
    first.says("3330/3390")
    second.says("tiếp")
    first.says("gửi")
    before = kept(commune)
    assert "Huỳnh Thanh Thảo đã gửi báo cáo này (15/9 lúc 14:00)" in second.says(said)
    assert kept(commune) == before
    assert len(filings(commune, report)) == 1
    assert "Gửi báo cáo này?" in second.taps("Xem lại báo cáo")


def test_a_command_is_heard_after_a_colleague_has_sent(commune: Commune) -> None:
    first, second, report = two_colleagues(commune)
    first.says("3330/3390")
    first.says("gửi")
    assert "<b>Còn " in second.says("/nhiemvu")
    assert len(filings(commune, report)) == 1


def test_a_button_of_a_step_before_changes_nothing(commune: Commune) -> None:
    thao = commune.person("thao")
    thao.says("/baocao 2.5")
    old = thao.tokens[0]
    thao.says("3390")
    before = kept(commune)
    assert "Lựa chọn này đã cũ" in thao.taps_token(old)
    assert kept(commune) == before


def test_a_button_of_another_person_changes_nothing(commune: Commune) -> None:
    thao, tuan = commune.person("thao"), commune.person("tuan")
    thao.says("/baocao 2.5")
    tuan.says("/baocao 2.9")
    before = kept(commune)
    assert "Lựa chọn này đã cũ" in tuan.taps_token(thao.tokens[0])
    assert "Lựa chọn này đã cũ" in commune.person("stranger").taps_token(thao.tokens[0])
    assert kept(commune) == before


@pytest.mark.parametrize("token", ["", "=", "=1.0.99", "=1.0.-1", "=1.0.x", "=9999.0.0", "xyz", "=1.0.0.0"])
def test_a_button_that_never_was_changes_nothing(commune: Commune, token: str) -> None:
    thao = commune.person("thao")
    thao.says("/baocao 2.5")
    before = kept(commune)
    assert "Lựa chọn này đã cũ" in thao.taps_token(token)
    assert kept(commune) == before
    assert "2/2. " in thao.says("3390")


def test_the_same_message_delivered_twice_is_taken_once(commune: Commune) -> None:
    thao = commune.person("thao")
    thao.says("/baocao 2.5")
    assert "2/2. " in thao.says("3390", key="one")
    assert thao.says("3390", key="one") == ""
    with commune.store.reading() as db:
        assert len(db.exec(select(Seen).where(Seen.message_key == "one")).all()) == 1


def test_a_new_process_goes_on_where_the_old_one_was_killed(commune: Commune) -> None:
    thao = commune.person("thao")
    for said in ("/baocao 2.5", "3390", "3330", "gửi"):
        commune.restart()
        heard = thao.says(said)
    assert "Đã gửi mục 2.5" in heard


def test_choices_are_numbered_where_nothing_is_typed_and_lettered_where_a_figure_is(commune: Commune) -> None:
    thao = commune.person("thao")
    thao.says("/nhiemvu")
    first = thao.labels[0].removeprefix("Báo cáo ")
    assert f"<b>{first} " in thao.says("1")
    assert "Chưa đọc được số" in thao.says("e")
    assert "Ngày nào" in thao.says("b")


def test_an_open_question_waits_behind_a_command(commune: Commune) -> None:
    thao = commune.person("thao")
    thao.says("/baocao 2.5")
    thao.says("/nhiemvu")
    before = kept(commune)
    thao.plays(("3390", "Anh/chị đang làm dở"), ("3390", "2/2. "))
    assert kept(commune) != before


def test_help_leaves_the_question_open(commune: Commune) -> None:
    thao = commune.person("thao")
    thao.plays(("/baocao 2.5", "1/2. "), ("/trogiup", '"quay lại" để sửa câu trước'), ("3390", "2/2. "))


def test_another_report_is_opened_in_the_middle_of_one_and_both_are_kept(commune: Commune) -> None:
    thao = commune.person("thao")
    thao.plays(("/baocao 2.5", "1/2. "), ("3390", "2/2. "), ("báo cáo 2.4", "2.4 "), ("Bao cao 2.5", "2/2. "))


def test_going_on_after_stopping_takes_one_word(commune: Commune) -> None:
    thao = commune.person("thao")
    thao.plays(("/baocao 2.5", "1/2. "), ("3390", "2/2. "), ("huỷ", "1 câu đã trả lời"), ("tiếp", "2/2. "))


def test_an_unknown_command_keeps_the_question_open(commune: Commune) -> None:
    thao = commune.person("thao")
    thao.says("/baocao 2.5")
    heard = thao.says("/boacao")
    assert 'Không có lệnh "boacao"' in heard
    assert "1/2. " in heard
    assert "2/2. " in thao.says("3390")


def test_leaving_one_report_for_another_keeps_both(commune: Commune) -> None:
    thao = commune.person("thao")
    thao.plays(("/baocao 2.5", "1/2. "), ("3390", "2/2. "), ("/baocao 2.16", "1/3. "), ("/baocao 2.5", "2/2. "))


def test_an_edit_stands_in_the_place_of_the_tapped_message(commune: Commune) -> None:
    thao = commune.person("thao")
    thao.plays(("/baocao 2.5", "1/2. "), ("3390", "2/2. "))
    shown = len(thao.bubbles)
    thao.taps("Quay lại")
    assert len(thao.bubbles) == shown
    assert "1/2. " in thao.last


def test_only_the_newest_step_bears_buttons(commune: Commune) -> None:
    thao = commune.person("thao")
    thao.plays(("/baocao 2.5", "1/2. "), ("x", "Chưa đọc được số"), ("3390", "2/2. "), ("3330", "Gửi"))
    assert [bool(bubble.choices) for bubble in thao.bubbles] == [False, False, False, True]


def breaks(talk: Talk, **_args: Any) -> None:
    raise RuntimeError("a fault in a conversation")


def test_a_handler_that_fails_says_so_and_the_rest_goes_on(
    commune: Commune, monkeypatch: pytest.MonkeyPatch
) -> None:
    thao = commune.person("thao")
    thao.says("/baocao 2.5")
    before = kept(commune)
    kind = handlers.FLOWS["reporting"]
    monkeypatch.setitem(handlers.FLOWS, "reporting", FlowKind("reporting", breaks, kind.check))
    assert "gặp lỗi" in thao.says("3390", key="broken")
    assert kept(commune) == before
    with commune.store.reading() as db:
        (aside,) = db.exec(select(SetAside)).all()
    assert (aside.message_key, aside.chat_id) == ("broken", "thao")
    assert "a fault in a conversation" in aside.traceback
    assert thao.says("3390", key="broken") == ""
    monkeypatch.setitem(handlers.FLOWS, "reporting", kind)
    assert "<b>Còn " in commune.person("tuan").says("/nhiemvu")
    assert "2/2. " in thao.says("3390")


@pytest.mark.parametrize("change", [lambda row: row.update(unit="lượt"), lambda row: row.update(mode="P")])
def test_a_question_that_was_reworded_is_asked_again_with_the_old_answer(
    commune: Commune, change: Callable[[dict[str, Any]], None]
) -> None:
    thao = commune.person("thao")
    thao.plays(("/baocao 2.5", "1/2. "), ("3390", "2/2. "))
    with commune.store.writing() as db:
        draft = db.exec(select(Draft)).one()
        questions = [dict(question) for question in draft.args["questions"]]
        change(questions[0])
        draft.args = draft.args | {"questions": questions}
    heard = thao.says("tiếp")
    assert "1/2. " in heard
    assert "trả lời trước: 3.390" in heard


def test_nothing_typed_is_kept_with_the_messages_that_came_in(commune: Commune) -> None:
    commune.person("thao").says("một câu rất riêng tư")
    with commune.store.reading() as db:
        assert not any("riêng tư" in str(row.body) for row in db.exec(select(Outgoing)))
        assert not any("riêng tư" in str(row) for row in db.exec(select(Seen)))
