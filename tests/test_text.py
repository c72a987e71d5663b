"""Typed words are the same word whatever the keyboard, the phone or the haste."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plans.text import clause, fold, plain

VIETNAMESE = "aăâeêioôơuưyàáảãạằắẳẵặầấẩẫậềếểễệồốổỗộờớởỡợừứửữựđĐÐ BCDGHK.,!? -"


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        ("Gửi", "gui"),
        ("GỬI!", "gui"),
        ("  Để   sau … ", "de sau"),
        ("Không\u00a0phát\u202fsinh.", "khong phat sinh"),
        ("Khong phat sinh", "khong phat sinh"),
        ("Chưa\u200bcó số liệu", "chua co so lieu"),
        ("\ufeffHuỷ\u200d", "huy"),
        ("Đồng ý", "dong y"),
        ("ÐỒNG Ý", "dong y"),
        ("ＧＵＩ　２", "gui 2"),
        ("Văn hóa – Xã hội", "van hoa - xa hoi"),
        ("Văn hoá - Xã hội", "van hoa - xa hoi"),
        ("hồ\nsơ", "ho so"),
        ("2.5", "2.5"),
        ("?!", ""),
        ("", ""),
    ],
)
def test_words_are_compared_without_marks_case_and_closing_punctuation(typed: str, word: str) -> None:
    assert fold(typed) == word


def test_plain_text_keeps_its_closing_punctuation() -> None:
    assert plain("Đúng không?") == "dung khong?"


@given(st.text(VIETNAMESE))
def test_composed_and_decomposed_letters_in_any_case_are_one(text: str) -> None:
    for form in ("NFC", "NFD"):
        assert fold(unicodedata.normalize(form, text)) == fold(text)
    assert fold(text.upper()) == fold(text.lower()) == fold(text)
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_any_text_folds_to_one_trimmed_line(text: str) -> None:
    folded = fold(text)
    assert folded == " ".join(folded.split())


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("2,9", "2.9"),
        ("2,14", "2.14"),
        ("III,2", "III.2"),
        ("2.9", "2.9"),
        ("12,5", "12,5"),
        ("2025-Q3", "2025-Q3"),
    ],
)
def test_a_clause_may_be_typed_with_a_comma(typed: str, code: str) -> None:
    assert clause(typed) == code
