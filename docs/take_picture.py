"""Take docs/chat.png from the real demo: `.venv/bin/python docs/take_picture.py`. It needs Chromium."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.async_api import Page, ViewportSize, async_playwright, expect

from bot.demo import build
from bot.settings import Settings

PICTURE = Path(__file__).with_name("chat.png")
SIZE = ViewportSize(width=1280, height=880)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
CLERK = "tuan"


async def main() -> None:
    """Start a demo of its own on a free port, talk to it as a clerk, and take the picture."""
    with TemporaryDirectory() as folder:
        opened: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        settings = Settings(data_dir=Path(folder), listen="127.0.0.1:0")
        demo = asyncio.create_task(build(settings, opened.set_result).run())
        try:
            await photograph(await asyncio.wait_for(opened, timeout=30))
        finally:
            demo.cancel()
            await asyncio.gather(demo, return_exceptions=True)


async def photograph(address: str) -> None:
    """Write the picture of the page at `address`, in the middle of a report."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = await chromium.new_page(
            viewport=SIZE, locale="vi-VN", color_scheme="light", reduced_motion="reduce"
        )
        await page.goto(f"{address}#{CLERK}")
        await report(page)
        await page.screenshot(path=PICTURE)
        await chromium.close()


async def report(page: Page) -> None:
    """Answer task 2.9 from its reminder up to the last screen, which is left open."""
    await tap(page, "Báo cáo 2.9")
    await answer(page, "18,5 tỷ", then="2/2.")
    await answer(page, "12,4 tỷ", then="Gửi báo cáo này?")


async def tap(page: Page, label: str) -> None:
    await page.locator(".choices").get_by_role("button", name=label).click()
    await heard(page, "1/2.")


async def answer(page: Page, text: str, then: str) -> None:
    await page.locator("#text").fill(text)
    await page.locator("#text").press("Enter")
    await heard(page, then)


async def heard(page: Page, text: str) -> None:
    """Wait until the last message says this."""
    await expect(page.locator(".line").last).to_contain_text(text)


if __name__ == "__main__":
    asyncio.run(main())
