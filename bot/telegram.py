"""Telegram, by long polling: python-telegram-bot's Bot and Update, without its Application and Updater."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from telegram import Bot, InputFile
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
)

from bot.clock import Clock
from bot.platform import (
    Accept,
    Limits,
    Message,
    Moved,
    RecipientGone,
    Refused,
    SendFailed,
    StartFailed,
    TryLater,
)
from bot.settings import Settings
from bot.telegram_http import NOT_GIVEN, LeanRequest, environment_proxy
from bot.telegram_read import CHANNEL, UPDATES, incoming_from, tap_id
from bot.telegram_write import keyboard, split, text_params
from handlers.incoming import Incoming
from messages import label

log = logging.getLogger("dondoc.telegram")

# The library's own opt-in: a pause is a timedelta. Without it each 429 brings a deprecation warning.
os.environ.setdefault("PTB_TIMEDELTA", "true")

Json = dict[str, Any]
Sleep = Callable[[float], Awaitable[object]]

POLL_SECONDS: Final = 30
BREATH: Final = 0.012
"""Seconds for the answers to go out before anything else does: who is answered writes on into the next fetch."""
CONFLICT_SECONDS: Final = 15.0
LONGEST_PAUSE: Final = 30.0
GOODBYE_SECONDS: Final = 2.0
CONNECTIONS: Final = 96  # 64 sends in flight, and room for the answers to taps
GONE: Final = ("chat not found", "user not found", "peer_id_invalid")
NOTHING_TO_STRIP: Final = ("not modified", "not found", "can't be edited", "message_id_invalid")
NOISY: Final = ("telegram", "httpx", "httpcore", "aiohttp.client")

STRANGERS_MENU: Final = tuple((name, label(f"{name}.as_menu")) for name in ("start", "help"))
"""What somebody who has not joined can do; who joins gets a menu of their own."""
BURST: Final = 5
"""Messages one chat bears at once; after that one a second."""
GROUP_PER_MINUTE: Final = 20


class Telegram:
    """One Telegram bot; bot.platform.Platform says what each method promises."""

    channel = CHANNEL

    def __init__(
        self,
        token: str,
        api_url: str,
        limits: Limits,
        now: Callable[[], datetime],
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        for name in NOISY:  # at their finer levels they write addresses, which hold the token, and texts
            logging.getLogger(name).setLevel(logging.WARNING)
        self.limits = limits
        self._now = now
        self._sleep = sleep
        proxy = environment_proxy(api_url)
        self._requests = (LeanRequest(CONNECTIONS, proxy), LeanRequest(1, proxy))
        self._client = Client(token, f"{api_url.rstrip('/')}/bot", *self._requests)
        self._answers: set[asyncio.Task[None]] = set()

    async def start(self) -> str | None:
        for request in self._requests:
            await request.initialize()
        trouble = Trouble(self._sleep)
        while True:
            try:
                me = await self._client.call("getMe")
                await self._client.call("deleteWebhook")  # with one set the server refuses to be polled
                break
            except InvalidToken:
                raise StartFailed("telegram_token") from None
            except TelegramError as error:
                await trouble.rest(error)
        trouble.over()
        with suppress(TelegramError):  # the menu is a help, and no reason not to start
            await self._client.call("setMyCommands", {"commands": _menu(STRANGERS_MENU)})
        return f"https://t.me/{me['username']}?start={{code}}"

    async def name(self) -> str:
        """The bot's name, asked once. Raises StartFailed or SendFailed."""
        for request in self._requests:
            await request.initialize()
        try:
            return str((await self._client.call("getMe"))["username"])
        except InvalidToken:
            raise StartFailed("telegram_token") from None
        except TelegramError as error:
            raise translated(error) from None

    async def listen(self, accept: Accept) -> None:
        offset = 0
        trouble = Trouble(self._sleep)
        while True:
            try:
                asked_at = asyncio.get_running_loop().time()
                updates = await self._client.updates(offset)
                await self._hand_over(updates, accept)
                if updates:  # only now: the server forgets what is before the offset
                    offset = updates[-1]["update_id"] + 1
                    self._answer_taps(updates)
                    await asyncio.sleep(BREATH)
                elif asyncio.get_running_loop().time() - asked_at < 1:  # a proxy that does not hold the line
                    await asyncio.sleep(1)
                trouble.over()
            except InvalidToken:
                raise StartFailed("telegram_token") from None
            except Exception as error:
                await trouble.rest(error)

    async def send(self, message: Message) -> str | None:
        """As the platform promises; of a text that had to be split, the id is that of the last piece.

        After a failure in the middle of a split text its first pieces are sent once more.
        """
        try:
            return await self._send(message)
        except TelegramError as error:
            failure = translated(error)
        raise failure

    async def close(self) -> None:
        if self._answers:
            _, late = await asyncio.wait(self._answers, timeout=GOODBYE_SECONDS)
            for task in late:
                task.cancel()
        for request in self._requests:
            await request.shutdown()

    # -- coming in ---------------------------------------------------------------------------------

    async def _hand_over(self, updates: list[Json], accept: Accept) -> None:
        """Chats side by side, each chat in order. All are waited for, so that a repeat meets no straggler."""
        now = self._now()
        chats: dict[str, list[Incoming]] = {}
        for incoming in filter(None, (incoming_from(raw, now) for raw in updates)):
            chats.setdefault(incoming.chat_id, []).append(incoming)
        lines = (_in_order(line, accept) for line in chats.values())
        for result in await asyncio.gather(*lines, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    def _answer_taps(self, updates: list[Json]) -> None:
        for tap in filter(None, map(tap_id, updates)):
            task = asyncio.create_task(self._answer(tap))
            self._answers.add(task)  # the loop itself keeps no strong reference
            task.add_done_callback(self._answers.discard)

    async def _answer(self, tap: str) -> None:
        """Let the tapped button stop spinning, behind the answer. Too late for it is normal after an outage."""
        await asyncio.sleep(BREATH)
        try:
            await self._client.call("answerCallbackQuery", {"callback_query_id": tap})
        except TelegramError as error:
            log.debug("action=telegram_tap_unanswered reason=%s", _reason(error))

    # -- going out ---------------------------------------------------------------------------------

    async def _send(self, message: Message) -> str | None:
        match message.kind:
            case "text":
                return await self._send_text(message)
            case "edit":
                return await self._edit(message)
            case "picture":
                return await self._send_file("sendPhoto", "photo", message, "picture.png")
            case "document":
                return await self._send_file("sendDocument", "document", message, "file")
            case "strip":
                await self._strip(message)
            case "menu":
                await self._set_menu(message)
        return None

    async def _send_text(self, message: Message) -> str:
        *first, last = split(message.text)
        for piece in first:
            await self._client.call("sendMessage", text_params(message, piece))
        params = text_params(message, last) | keyboard(message.choices)
        return _id_of(await self._client.call("sendMessage", params))

    async def _edit(self, message: Message) -> str | None:
        params = text_params(message, message.text) | keyboard(message.choices)
        try:
            await self._client.call("editMessageText", params | {"message_id": message.target})
        except BadRequest as error:
            if not _says(error, ("not modified",)):
                raise
        return message.target

    async def _strip(self, message: Message) -> None:
        params = {"chat_id": message.chat_id, "message_id": message.target}
        try:
            await self._client.call("editMessageReplyMarkup", params)
        except BadRequest as error:
            if not _says(error, NOTHING_TO_STRIP):
                raise

    async def _send_file(self, method: str, name: str, message: Message, file_name: str) -> str:
        params = text_params(message, message.text, "caption") | keyboard(message.choices)
        params[name] = InputFile(message.content or b"", message.file_name or file_name)
        return _id_of(await self._client.call(method, params))

    async def _set_menu(self, message: Message) -> None:
        scope = {"type": "chat", "chat_id": int(message.chat_id)}
        await self._client.call("setMyCommands", {"commands": _menu(message.commands), "scope": scope})


class Client(Bot):
    """The library's Bot, plus the plain answer of any method.

    Its ready-made methods build a Message object out of every answer (0.13 ms, for one number we need), its
    get_updates fails as a whole when one update does not parse, and its do_api_request warns for every method
    that has a ready-made one.
    """

    def __init__(self, token: str, base_url: str, request: LeanRequest, polling: LeanRequest) -> None:
        super().__init__(token, base_url=base_url, request=request, get_updates_request=polling)

    async def call(self, method: str, params: Json | None = None, read_timeout: Any = NOT_GIVEN) -> Any:
        """The `result` of the answer; raises TelegramError."""
        try:
            return await self._post(method, params, read_timeout=read_timeout)
        except KeyError:
            pass
        raise TelegramError("an answer without a result")

    async def updates(self, offset: int) -> list[Json]:
        """Wait for updates from `offset` on; those before it are acknowledged."""
        params = {"offset": offset, "timeout": POLL_SECONDS, "allowed_updates": UPDATES}
        updates: list[Json] = await self.call("getUpdates", params, read_timeout=POLL_SECONDS + 10)
        return updates


class Trouble:
    """Failures in a row: each kind is said once, and the pauses grow (1, 2, 4 … 30 s)."""

    def __init__(self, sleep: Sleep) -> None:
        self._sleep = sleep
        self._failures = 0
        self._said: str | None = None

    async def rest(self, error: Exception) -> None:
        """Say what is wrong, if it is new, and wait before the next try."""
        pause = min(2.0**self._failures, LONGEST_PAUSE)
        self._failures = min(self._failures + 1, 10)
        match error:
            case Conflict():
                pause = CONFLICT_SECONDS
                self._say("telegram_conflict", "another program reads the messages of this bot")
            case RetryAfter():
                pause = _pause(error).total_seconds()
                self._say("telegram_throttled", f"a pause of {pause:.0f} s was asked for")
            case TelegramError():
                self._say("telegram_unreachable", _reason(error))
            case _:
                self._said = "telegram_failed"
                log.error("action=telegram_failed", exc_info=error)
        await self._sleep(pause)

    def over(self) -> None:
        if self._said:
            log.info("action=telegram_back")
        self._failures, self._said = 0, None

    def _say(self, action: str, reason: str) -> None:
        if self._said != action:
            log.warning("action=%s reason=%s", action, reason)
        self._said = action


def _menu(commands: Iterable[tuple[str, str]]) -> list[Json]:
    return [{"command": name, "description": words} for name, words in commands]


async def _in_order(line: list[Incoming], accept: Accept) -> None:
    for incoming in line:
        await accept(incoming)


def translated(error: TelegramError) -> SendFailed:
    """What a failure means for the message: the one place that knows the library's errors."""
    reason = _reason(error)
    match error:
        case RetryAfter():
            return TryLater("throttled", _pause(error))
        case ChatMigrated():
            return Moved(str(error.new_chat_id))
        case Forbidden():
            return RecipientGone(reason)
        case BadRequest():
            return RecipientGone(reason) if _says(error, GONE) else Refused(reason)
        case InvalidToken():
            return TryLater("token")  # listen ends the program for it; the message is kept
        case _ if _says(error, ("too large",)):  # 413, which the library takes for a network fault
            return Refused(reason)
        case _:
            return TryLater(reason)


def _pause(error: RetryAfter) -> timedelta:
    after = error.retry_after
    return after if isinstance(after, timedelta) else timedelta(seconds=after)


def _says(error: TelegramError, words: tuple[str, ...]) -> bool:
    text = str(error).lower()
    return any(word in text for word in words)


def _reason(error: TelegramError) -> str:
    """The kind of error and the server's words up to a colon: what follows it may quote the message."""
    return f"{type(error).__name__}: {str(error).split(':')[0].lower()[:80]}"


def _id_of(sent: Json) -> str:
    return str(sent["message_id"])


def from_settings(settings: Settings, clock: Clock) -> Telegram | None:
    """Telegram, where a token is set."""
    if settings.telegram_bot_token is None:
        return None
    limits = Limits(settings.telegram_rate, settings.telegram_chat_rate, BURST, GROUP_PER_MINUTE)
    token = settings.telegram_bot_token.get_secret_value()
    return Telegram(token, settings.telegram_api_url, limits, clock.now)


async def whoami(settings: Settings, clock: Clock) -> str:
    """The bot's name, asked once. Raises StartFailed for a wrong token, SendFailed where nobody answers."""
    telegram = from_settings(settings, clock)
    assert telegram is not None
    try:
        return await telegram.name()
    finally:
        await telegram.close()
