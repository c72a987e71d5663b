"""`dondoc run` with a watch on its event loop: how long it was held, and by what; written down at the end."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType

from bot.assemble import App, open_store, platforms
from bot.clock import Clock
from bot.settings import read_settings

EVERY = 0.001
LONG = 0.02
"""From so many seconds on it is asked where the loop stands."""
ROOT = Path(__file__).resolve().parents[1]
KEPT = 5
HELD = "held.json"


class Watch:
    """A task that should run every millisecond, and a thread that looks where the loop is when it does not."""

    def __init__(self) -> None:
        self.held: list[tuple[float, float, str]] = []
        """(seconds, of them on the processor, where) of the longest holds."""
        self._beat_at = self._collecting_from = time.perf_counter()
        self._seen: Counter[str] = Counter()
        self._loop_thread = threading.get_ident()

    async def run(self) -> None:
        threading.Thread(target=self._look, daemon=True).start()
        gc.callbacks.append(self._collects)
        while True:
            self._beat_at, busy = time.perf_counter(), time.thread_time()
            await asyncio.sleep(EVERY)
            seconds = time.perf_counter() - self._beat_at - EVERY
            if seconds > LONG / 2:
                self._keep(seconds, time.thread_time() - busy)
            self._seen.clear()

    def _keep(self, seconds: float, busy: float) -> None:
        where = self._seen.most_common(1)[0][0] if self._seen else ""
        self.held = sorted([*self.held, (seconds, busy, where)], reverse=True)[:KEPT]

    def _collects(self, phase: str, info: dict[str, int]) -> None:
        now = time.perf_counter()
        if phase == "start":
            self._collecting_from = now
        elif now - self._collecting_from > LONG:
            self._seen[f"collecting garbage of generation {info['generation']}"] += KEPT

    def _look(self) -> None:
        while True:
            time.sleep(LONG / 4)
            if time.perf_counter() - self._beat_at > LONG:
                self._seen[_where(sys._current_frames().get(self._loop_thread))] += 1


def _where(frame: FrameType | None) -> str:
    """The innermost functions of ours, the outer one first."""
    names: list[str] = []
    while frame is not None and len(names) < 3:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(ROOT / "bench"):
            break
        if path.is_relative_to(ROOT) and ".venv" not in path.parts:
            names.insert(0, f"{path.relative_to(ROOT)}:{frame.f_code.co_name}")
        frame = frame.f_back
    return " > ".join(names)


async def _serve(app: App) -> Watch:
    watch, running = Watch(), asyncio.create_task(app.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    watching = asyncio.create_task(watch.run())
    await asyncio.gather(running, return_exceptions=True)
    watching.cancel()
    return watch


def main() -> None:
    """Serve until SIGTERM."""
    logging.basicConfig(level=logging.INFO)
    settings, clock = read_settings(), Clock()
    app = App(open_store(settings), platforms(settings, clock), clock)
    watch = asyncio.run(_serve(app))
    (settings.data_dir / HELD).write_text(json.dumps(watch.held))


if __name__ == "__main__":
    main()
