"""Help, cancel, words of command, free text, and what is no text at all."""

from __future__ import annotations

import pytest

from tests.commune import Commune
from tests.people import kept


@pytest.mark.parametrize("said", ["/help", "/trogiup", "trợ giúp", "TRO GIUP", "Trợ giúp.", "/start"])
def test_help_lists_what_the_role_may_do(commune: Commune, said: str) -> None:
    clerk, coordinator, leader = (commune.person(chat).says(said) for chat in ("thao", "lan", "chutich"))
    assert "/baocao" in clerk
    assert "/moi" not in clerk
    assert "/moi" in coordinator
    assert "/tonghop" in leader
    assert "/baocao" not in leader


def test_help_in_the_middle_leaves_the_question_its_buttons(commune: Commune) -> None:
    thao = commune.person("thao")
    thao.says("/baocao 2.5")
    question = thao.bubbles[-1]
    thao.says("trợ giúp")
    assert question.choices
    assert "thấp hơn số luỹ kế" in thao.taps("Không phát sinh")


def test_help_says_who_one_is(commune: Commune) -> None:
    heard = commune.person("dung").says("/trogiup")
    assert heard.splitlines()[:2] == ["<b>Võ Thị Dung</b>", "Thủ trưởng đơn vị, Phòng Kinh tế"]


def test_help_offers_a_button_for_each_command(commune: Commune) -> None:
    lan = commune.person("lan")
    lan.says("/trogiup")
    assert lan.labels == [
        *(
            "Việc cần báo cáo",
            "Báo cáo",
            "Tổng hợp",
            "Vụ việc",
            "Vắng mặt",
            "Lịch nghỉ",
            "Danh sách người",
            "Mời người",
        )
    ]
    assert "<b>Còn " in lan.says("1")


@pytest.mark.parametrize(
    "said",
    ["xin chào", "?", "👍", "12", "Gửi", "Mọi người ơi", "Mới gửi xong rồi", "huy động nhân lực", "\u200b", ""],
)
def test_free_text_is_never_met_with_silence(commune: Commune, said: str) -> None:
    before = kept(commune)
    assert "Anh/chị muốn làm gì?" in commune.person("thao").says(said)
    assert kept(commune) == before


@pytest.mark.parametrize("said", ["/khongco", "//", "/báo", "/nhac", "/khong co 5", "/" + "x" * 300])
def test_an_unknown_command_is_named_and_help_offered(commune: Commune, said: str) -> None:
    heard = commune.person("thao").says(said)
    assert "Không có lệnh" in heard
    assert "/trogiup" in heard
    assert len(heard) < 120


@pytest.mark.parametrize("said", ["/", " / ", "/ 5"])
def test_a_slash_alone_is_told_what_comes_behind_it(commune: Commune, said: str) -> None:
    assert commune.person("thao").says(said) == (
        'Sau dấu "/" là tên lệnh, viết liền, ví dụ /nhiemvu. Gõ /trogiup để xem các lệnh.'
    )


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("/nhac lai", "/nhaclai"),
        ("/Nhắc lại", "/nhaclai"),
        ("/ nhac lai", "/nhaclai"),
        ("/nhac lai 2.9", "/nhaclai 2.9"),
        ("/bao cao 2,9", "/baocao 2,9"),
        ("/2.9", "/baocao 2.9"),
    ],
)
def test_a_command_in_two_words_is_answered_with_the_one_meant(commune: Commune, said: str, meant: str) -> None:
    thao = commune.person("thao")
    assert thao.says(said) == f"Có phải anh/chị muốn gõ {meant}? Gõ /trogiup để xem các lệnh."
    thao.says("/baocao 2.5")
    heard = thao.says(said)
    assert heard.startswith(f"Có phải anh/chị muốn gõ {meant}?")
    assert "1/2. " in heard  # the open question is shown again


@pytest.mark.parametrize("said", ["/cancel", "/huy", "huỷ", "hủy", "HUY", "Huỷ!", " huy "])
def test_cancel_is_understood_however_it_is_written(commune: Commune, said: str) -> None:
    thao = commune.person("thao")
    assert "Không có việc nào đang làm dở" in thao.says(said)
    thao.says("/baocao 2.5")
    assert "Đã dừng" in thao.says(said)
    assert "Anh/chị muốn làm gì?" in thao.says("3390")


def test_cancelling_what_is_no_report_just_stops(commune: Commune) -> None:
    commune.person("lan").plays(("/moi", "vai trò nào?"), ("huỷ", "Đã dừng"), ("huỷ", "Không có việc nào"))


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("tiếp", "2/2. "),
        ("TIEP.", "2/2. "),
        ("quay lại", "1/2. "),
        ("Quay lại", "1/2. "),
        ("bỏ qua", "không bỏ qua được. Nếu chưa có số liệu"),
        ("trợ giúp", "/baocao"),
        ("tiếp tục gửi giúp tôi", "Chưa đọc được số"),
        ("tôi muốn huỷ", "Chưa đọc được số"),
    ],
)
def test_words_of_command_count_only_as_the_whole_message(commune: Commune, said: str, heard: str) -> None:
    thao = commune.person("thao")
    thao.plays(("/baocao 2.5", "1/2. "), ("3390", "2/2. "))
    assert heard in thao.says(said)


@pytest.mark.parametrize("said", ["tiếp", "quay lại", "bỏ qua"])
def test_words_of_command_with_nothing_open_lead_to_the_choices(commune: Commune, said: str) -> None:
    assert "Anh/chị muốn làm gì?" in commune.person("thao").says(said)
    assert "cần mã mời" in commune.person("stranger").says(said)


def test_going_back_at_the_first_question_asks_it_again(commune: Commune) -> None:
    commune.person("thao").plays(("/baocao 2.5", "1/2. "), ("quay lại", "1/2. "), ("quay lại", "1/2. "))
    commune.person("lan").plays(("/moi", "vai trò nào?"), ("quay lại", "vai trò nào?"))


@pytest.mark.parametrize("said", ["/moi", "/vangmat"])
def test_passing_over_what_is_no_figure_does_not_speak_of_figures(commune: Commune, said: str) -> None:
    lan = commune.person("lan")
    lan.plays((said, "?"), ("cho tôi" if said == "/vangmat" else "tiếp", "?"))
    heard = lan.says("bỏ qua")
    assert "không bỏ qua được" in heard
    assert "số liệu" not in heard


@pytest.mark.parametrize(
    ("what", "heard"),
    [
        ("sticker", "nhãn dán"),
        ("voice", "tin nhắn thoại"),
        ("photo", "ảnh"),
        ("document", "tệp"),
        ("video", "video"),
        ("contact", "danh thiếp"),
        ("location", "vị trí"),
        ("forward", "tin chuyển tiếp"),
        ("too_long", "dài quá"),
        ("unparsable", "nội dung này"),
    ],
)
def test_what_is_no_text_is_named_and_the_question_stays_open(commune: Commune, what: str, heard: str) -> None:
    thao = commune.person("thao")
    thao.says("/baocao 2.5")
    before = kept(commune)
    came = thao.sends(what)
    assert heard in came
    assert "1/2. " in came
    assert kept(commune) == before
    assert heard in commune.person("tuan").sends(what)
    assert heard in commune.person("stranger").sends(what)


def test_what_is_typed_is_escaped_where_it_is_shown(commune: Commune) -> None:
    assert "<b>&" not in commune.person("thao").says("/<b>&")
    assert "&lt;b&gt;&amp;" in commune.person("thao").says("/<b>&")
