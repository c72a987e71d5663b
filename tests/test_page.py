"""The page of the browser chat in a real Chromium, with a small core behind it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser as Chromium
from playwright.async_api import (
    BrowserContext,
    ConsoleMessage,
    Error,
    Locator,
    Page,
    Request,
    ViewportSize,
    async_playwright,
    expect,
)

from bot.browser_chats import Earlier, Person
from bot.platform import Message
from messages import plain
from tests.browser_core import MONDAY, Core, two_taps
from tests.commune import Commune
from tests.test_readers import burden, reads

pytestmark = pytest.mark.asyncio(loop_scope="module")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PC = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=390, height=780)
OLD_PHONE = ViewportSize(width=320, height=600)


def find_chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None and os.environ.get("CI"):
        pytest.fail("there is no Chromium here: the page cannot be tried (apt-get install chromium)")
    if found is None:
        pytest.skip("there is no Chromium here: the page was not tried (apt-get install chromium)")
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Chromium]:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Core]:
    core = Core()
    async with core.running():
        yield core


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def window(chromium: Chromium) -> AsyncIterator[BrowserContext]:
    context = await chromium.new_context(viewport=PC, locale="vi-VN", reduced_motion="reduce")
    context.set_default_timeout(5000)
    yield context
    await context.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tab(running: Core, window: BrowserContext) -> Page:
    page = await window.new_page()
    await page.goto(running.browser.address)
    return page


@pytest.fixture
def core(running: Core) -> Core:
    """The same program for all tests, with new people whose chats are empty."""
    running.begin_again()
    return running


@pytest_asyncio.fixture(loop_scope="module")
async def page(core: Core, tab: Page) -> AsyncIterator[Page]:
    """Lê Minh Tâm's page, connected; it must not fail, nor ask for anything elsewhere."""
    faults: list[str] = []

    def on_error(error: Error) -> None:
        faults.append(str(error))

    def on_console(said: ConsoleMessage) -> None:
        if "Content Security" in said.text:
            faults.append(said.text)

    def on_request(asked: Request) -> None:
        if not asked.url.startswith((core.browser.address, f"blob:{core.browser.address}")):
            faults.append(asked.url)

    tab.on("pageerror", on_error)
    tab.on("console", on_console)
    tab.on("request", on_request)
    await tab.set_viewport_size(PC)
    await open_as(tab, core.tam)
    yield tab
    tab.remove_listener("pageerror", on_error)
    tab.remove_listener("console", on_console)
    tab.remove_listener("request", on_request)
    assert faults == []


async def open_as(page: Page, person: Person) -> None:
    await page.evaluate("chat => { location.hash = chat; }", person.chat_id)
    await expect(button_of(page, person)).to_have_attribute("aria-current", "true")
    await expect(page.locator(".nothing, .line").first).to_be_visible()


def button_of(page: Page, person: Person) -> Locator:
    return page.locator(f'[data-chat="{person.chat_id}"]')


async def say(page: Page, text: str) -> None:
    await page.locator("#text").fill(text)
    await page.locator("#text").press("Enter")


def word(name: str) -> str:
    return plain(f"page.{name}")


async def test_what_is_said_is_answered_without_a_reload(page: Page) -> None:
    await say(page, "1.250")
    await expect(page.locator(".line.is-own .words")).to_have_text("1.250")
    await expect(page.locator(".line:not(.is-own) .words")).to_have_text("Đã nghe tin thứ 1.")
    await expect(page.locator(".line.is-own.is-sending")).to_have_count(0)
    await expect(page.locator("time").first).to_have_text("08:00")
    await expect(page.locator("#text")).to_have_value("")


async def test_a_tap_changes_its_message_in_place(core: Core, page: Page) -> None:
    await say(page, "12")
    await page.get_by_role("button", name="Gửi đi").click()
    await expect(page.locator(".line:not(.is-own) .words b")).to_have_text("s")
    await expect(page.locator(".line")).to_have_count(2)
    await expect(page.locator(".choices button")).to_have_count(0)
    assert [heard.kind for heard in core.heard] == ["text", "choice"]


async def test_a_tapped_button_is_taken_once(core: Core, page: Page) -> None:
    await say(page, "12")
    core.pause = 0.2
    button = page.get_by_role("button", name="Để sau")
    await button.dblclick()
    await expect(page.locator(".choices button")).to_have_count(0)
    assert [heard.text for heard in core.heard] == ["12", "l"]


async def test_dots_show_that_the_bot_works(core: Core, page: Page) -> None:
    core.pause = 0.3
    await say(page, "12")
    await expect(page.locator("#working")).to_be_visible()
    await expect(page.locator(".line:not(.is-own)")).to_be_visible()
    await expect(page.locator("#working")).to_be_hidden()


async def test_reminders_arrive_for_others_when_the_clock_moves(core: Core, page: Page) -> None:
    core.clock.due = [core.ha.chat_id, core.tam.chat_id, core.ha.chat_id]
    badge = button_of(page, core.ha).locator(".badge > span:first-child")
    await page.get_by_role("button", name=word("next_rung")).click()
    await expect(page.locator("#clock")).to_have_text("Thứ Năm, 18/9/2025 · 07:30")
    await expect(page.locator(".line .words")).to_have_text("Đến hạn báo cáo.")
    await expect(page.locator(".day")).to_have_text("Thứ Năm, 18/9/2025")
    await expect(badge).to_have_text("2")
    await expect(page).to_have_title(re.compile(r"^\(2\) "))
    await button_of(page, core.ha).click()
    await expect(page.locator(".line .words")).to_have_count(2)
    await expect(badge).to_be_hidden()
    await expect(page.locator("#as-name")).to_have_text("Đặng Thu Hà")


async def test_the_clock_goes_to_a_chosen_day_but_never_back(page: Page) -> None:
    await page.locator("#pick-day").click()
    await page.locator("#day").fill("2025-09-15")
    await page.get_by_role("button", name=word("go_to_day")).click()
    await expect(page.locator("#clock-said")).to_contain_text("chỉ đi tới")
    await page.locator("#day").fill("2025-10-01")
    await page.get_by_role("button", name=word("go_to_day")).click()
    await expect(page.locator("#clock")).to_have_text("Thứ Tư, 1/10/2025 · 07:30")
    await expect(page.locator("#clock-said")).to_be_hidden()


async def test_a_reload_keeps_the_talk_and_the_person(page: Page) -> None:
    await say(page, "một")
    await expect(page.locator(".line")).to_have_count(2)
    await page.reload()
    await expect(page.locator(".line .words")).to_have_text(["một", "Đã nghe tin thứ 1."])
    await expect(page.locator("#as-name")).to_have_text("Lê Minh Tâm")


async def test_what_is_being_typed_stays_with_each_person(core: Core, page: Page) -> None:
    await page.locator("#text").fill("đang gõ dở")
    await button_of(page, core.dung).click()
    await expect(page.locator("#text")).to_have_value("")
    await button_of(page, core.tam).click()
    await expect(page.locator("#text")).to_have_value("đang gõ dở")
    await page.reload()
    await expect(page.locator("#text")).to_have_value("đang gõ dở")


async def test_a_lost_connection_is_shown_and_comes_back_by_itself(window: BrowserContext) -> None:
    core = Core()
    page = await window.new_page()
    async with core.running() as browser:
        await page.goto(browser.address)
        await open_as(page, core.tam)
        await say(page, "một")
        await expect(page.locator(".line")).to_have_count(2)
    await expect(page.locator("#lost")).to_be_visible()
    await say(page, "hai")
    await expect(page.locator("#not-sent")).to_be_visible()
    await expect(page.locator("#text")).to_have_value("hai")
    core.earlier = [Earlier("m1", "Đã nghe tin thứ 1.", two_taps(), MONDAY)]
    async with core.running(browser.port):
        await expect(page.locator("#lost")).to_be_hidden(timeout=8000)
        await page.locator("#text").press("Enter")
        await expect(page.locator(".line .words")).to_have_text(
            ["Đã nghe tin thứ 1.", "hai", "Đã nghe tin thứ 2."]
        )
        await expect(page.locator("#not-sent")).to_be_hidden()
    await page.close()


async def test_only_bold_and_italic_come_through(core: Core, page: Page) -> None:
    hostile = "<b>a &lt;b&gt;</b> &#34;<i>i</i>&#34;</i><img src=x onerror=x()><script>x()</script> <b id=x>"
    await core.send("text", text=hostile)
    words = page.locator(".line .words")
    await expect(words).to_have_text('a <b> "i"<img src=x onerror=x()><script>x()</script> <b id=x>')
    children = await words.evaluate("words => [...words.querySelectorAll('*')].map(child => child.outerHTML)")
    assert children == ["<b>a &lt;b&gt;</b>", "<i>i</i>"]
    await say(page, "<b>tôi</b> & <i>")
    await expect(page.locator(".is-own .words")).to_have_text("<b>tôi</b> & <i>")


async def test_the_commands_stand_behind_the_slash(core: Core, page: Page) -> None:
    await page.locator("#open-menu").click()
    await expect(page.locator("#menu button")).to_have_text(["/baocao Báo cáo số liệu", "/tonghop Tổng hợp"])
    await page.keyboard.press("Escape")
    await expect(page.locator("#menu")).to_be_hidden()
    await page.locator("#text").fill("/to")
    await page.locator("#menu button").click()
    await expect(page.locator(".is-own .words")).to_have_text("/tonghop")
    await expect(page.locator("#text")).to_have_value("")


async def test_enter_belongs_to_the_input_method_while_it_composes(core: Core, page: Page) -> None:
    await page.locator("#text").fill("bao cao")
    await page.locator("#text").dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    await page.locator("#text").press("Shift+Enter")
    await expect(page.locator("#text")).to_have_value("bao cao\n")
    assert core.heard == []


async def test_somebody_new_starts_with_one_tap(core: Core, page: Page) -> None:
    await page.locator(".person").last.click()
    await expect(page.locator(".nothing .of-guest")).to_be_visible()
    await page.get_by_role("button", name=word("start"), exact=True).click()
    await expect(page.locator(".line")).to_have_count(2)
    assert core.heard[0].chat_id.startswith("guest-")
    assert core.heard[0].text == "/start"


async def test_pictures_show_and_documents_keep_their_names(core: Core, page: Page) -> None:
    await core.send("picture", text="Tiến độ", content=PIXEL)
    await core.send("document", content=b"docx", file_name="Báo cáo quý III.docx")
    picture = page.locator(".picture:visible img")
    await expect(picture).to_have_attribute("src", re.compile("/file/"))
    assert await picture.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1
    async with page.expect_download() as fetching:
        await page.get_by_role("link", name="Báo cáo quý III.docx").click()
    fetched = await fetching.value
    assert fetched.suggested_filename == "Báo cáo quý III.docx"
    assert (await fetched.path()).stat().st_size == len(b"docx")


async def test_what_arrives_while_reading_back_does_not_move_the_page(core: Core, page: Page) -> None:
    for number in range(40):
        await core.send("text", text=f"tin {number}")
    await expect(page.locator(".line")).to_have_count(40)
    await page.locator("#talk").evaluate("talk => talk.scrollTop = 0")
    await core.send("text", text="tin mới")
    await expect(page.locator("#newer")).to_be_visible()
    assert await page.locator("#talk").evaluate("talk => talk.scrollTop") == 0
    await page.locator("#newer").click()
    await expect(page.locator(".line").last).to_be_in_viewport()
    await expect(page.locator("#newer")).to_be_hidden()


async def test_on_a_phone_the_people_are_a_drawer(core: Core, page: Page) -> None:
    await page.set_viewport_size(PHONE)
    await expect(page.locator("#people")).not_to_be_in_viewport()
    await core.browser.send(Message("text", core.ha.chat_id, text="Nhắc việc"))
    await expect(page.locator("#elsewhere")).to_have_text("1")
    await page.locator("#open-people").click()
    await page.get_by_role("button", name="Đặng Thu Hà").click()
    await expect(page.locator("#as-name")).to_have_text("Đặng Thu Hà")
    await expect(page.locator("#people")).not_to_be_in_viewport()


@pytest.mark.parametrize("size", [PC, PHONE, OLD_PHONE])
async def test_everything_fits_and_can_be_hit_with_a_thumb(core: Core, page: Page, size: ViewportSize) -> None:
    await page.set_viewport_size(size)
    await core.send("text", text="dài " * 60 + "x" * 200, choices=two_taps())
    await expect(page.locator(".choices button")).to_have_count(2)
    if await page.locator("#change-day").is_visible():
        await page.locator("#change-day").click()
    assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    for button in await page.locator("button:visible").all():
        box = await button.bounding_box()
        assert box is not None
        assert box["height"] >= 44, await button.inner_text()


async def test_the_fullest_digest_is_read_without_scrolling(core: Core, page: Page, commune: Commune) -> None:
    burden(commune)
    heard = reads(commune, "lan", 1, month=10)
    await page.set_viewport_size(PHONE)
    await core.send("text", text=heard)
    box = await page.locator(".bubble").bounding_box()
    assert box is not None
    assert box["height"] <= 540


async def test_it_says_that_it_is_a_trial_on_this_computer_only(page: Page) -> None:
    await expect(page.locator(".trial")).to_contain_text("DÙNG THỬ")
    await expect(page.locator(".trial")).to_contain_text("127.0.0.1")


PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c4944415408d763f8ffff3f0005fe02fea73581e40000000049454e44ae426082"
)
