"""/report: figures asked one by one, read back, checked, filed."""

from __future__ import annotations

from tests.commune import Commune


def test_a_clerk_files_a_task_in_a_few_messages(commune: Commune) -> None:
    thao = commune.person("thao")
    thao.plays(
        ("/nhiemvu", "Còn 6 báo cáo"),
        ("báo cáo 2.5", "Số hồ sơ TTHC đã giải quyết?"),
        ("3.390", "Đã ghi: 3.390 hồ sơ (ba nghìn ba trăm chín mươi)"),
        ("3330", "98,23%, đạt mục tiêu"),
        ("[Gửi]", "Đã gửi mục 2.5"),
    )
    assert "2.5" not in thao.says("/tasks")
