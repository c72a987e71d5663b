"""How the Telegram library reaches its server: a lean request class over aiohttp.

The token is part of every address, so no address may leave this file: errors of the HTTP library are replaced
and never chained, and a page that is not the Bot API's own (a proxy's error page) is not quoted.
"""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from telegram.error import NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData

SECONDS: Final = 10.0
UPLOAD_SECONDS: Final = 60.0
NOT_GIVEN: Final[Any] = BaseRequest.DEFAULT_NONE
JSON: Final = {"Content-Type": "application/json"}  # url-encoding Vietnamese costs more, and triples it
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


class LeanRequest(BaseRequest):
    """Does what the library's HTTPXRequest does at a fraction of the processor time.

    `connections` is the most that are open at once; further requests wait for a free one. Raises TimedOut or
    NetworkError, both without an address in their text and without the error that caused them.
    """

    def __init__(self, connections: int, proxy: str | None = None) -> None:
        self._connections = connections
        self._proxy = proxy
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        return SECONDS

    async def initialize(self) -> None:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": self.USER_AGENT},
                proxy=self._proxy,
            )

    async def shutdown(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = NOT_GIVEN,
        write_timeout: Any = NOT_GIVEN,
        connect_timeout: Any = NOT_GIVEN,
        pool_timeout: Any = NOT_GIVEN,
    ) -> tuple[int, bytes]:
        """One request; returns the status and the body, whatever the status is."""
        if self._session is None:
            raise NetworkError("the connection is closed")
        uploads = request_data is not None and request_data.contains_files
        timeout = _timeout(uploads, read_timeout, write_timeout, connect_timeout, pool_timeout)
        try:
            async with self._session.request(
                method, url, timeout=timeout, allow_redirects=False, **_body(request_data)
            ) as response:
                return response.status, _api_answer(response.status, await response.read())
        except TimeoutError:
            failure: NetworkError = TimedOut()
        except (aiohttp.ClientError, OSError, ValueError) as error:
            failure = NetworkError(_named(error))
        raise failure  # out here it carries no context, which would hold the address

    @staticmethod
    def parse_json_payload(payload: bytes) -> Any:
        """As the library's own, which writes an answer that is not JSON to the log."""
        try:
            answer = json.loads(payload)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise TelegramError("the answer is not the Bot API's")
        return answer


def environment_proxy(url: str) -> str | None:
    """The proxy that the environment (HTTPS_PROXY, NO_PROXY, ...) names for `url`; none for this computer.

    Asked once: aiohttp's own trust_env would ask again, in a thread, for every request.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in LOOPBACK or proxy_bypass(host):
        return None
    return getproxies().get(parts.scheme)


def _body(request_data: RequestData | None) -> dict[str, Any]:
    if request_data is None:
        return {}
    if not request_data.contains_files:
        return {"data": request_data.json_payload, "headers": JSON}
    form = aiohttp.FormData(request_data.json_parameters, quote_fields=False)  # file names as UTF-8
    for name, (file_name, content, content_type) in request_data.multipart_data.items():
        form.add_field(name, content, filename=file_name, content_type=content_type)
    return {"data": form}


def _timeout(uploads: bool, read: Any, write: Any, connect: Any, pool: Any) -> aiohttp.ClientTimeout:
    read, connect, pool = (SECONDS if value is NOT_GIVEN else value for value in (read, connect, pool))
    if write is NOT_GIVEN:
        write = UPLOAD_SECONDS if uploads else SECONDS
    steps = (pool, connect, write, read)
    total = None if None in steps else sum(steps)
    return aiohttp.ClientTimeout(total=total, sock_connect=connect, sock_read=read)


def _api_answer(status: int, body: bytes) -> bytes:
    """The body; NetworkError when a failure was not answered by a Bot API: its page may quote the address."""
    if status >= 300 and not body.lstrip().startswith(b"{"):
        raise NetworkError(f"HTTP {status}, not from a Bot API")
    return body


def _named(error: Exception) -> str:
    """The system's word for the fault, or its kind; the error's own text may hold the address."""
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
