"""An asyncio loop in a thread of its own, and the ordinary iterator that the engine reads from it.

Knows threads, cancelling and back-pressure; adapters that are asynchronous inside share it. Refuses to know
servers, tokens and prompts: an adapter gives it one asynchronous generator per request.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator, Iterable, Iterator
from concurrent.futures import CancelledError
from typing import Any, TypeVar

from groundproof.errors import ModelError
from groundproof.models.base import Piece, Request

T = TypeVar("T")

PIECES_WAITING = 256
"""Pieces made and not yet taken before the model must wait, at least; four for each request where that is
more. A piece is a few characters, so this is kilobytes."""

WAKE_S = 1.0
"""How often a waiting thread looks up: Ctrl-C on Windows reaches no thread that waits without an end."""

CLOSE_S = 10.0
"""How long closing waits for cancelled requests, and again for the adapter's own farewell."""

log = logging.getLogger(__name__)


class _Call:
    """One call of `generate`: its running tasks and the pieces on their way. Tasks live in the loop's thread."""

    def __init__(self, limit: int) -> None:
        self.pieces: queue.SimpleQueue[Piece | ModelError] = queue.SimpleQueue()
        self.room = asyncio.Semaphore(limit)
        self.tasks: set[asyncio.Task[Piece]] = set()
        self.taken_back = max(limit // 4, 1)
        """Room is given back this many pieces at a time: waking the loop costs more than a piece."""

    def cancel(self) -> None:
        for task in self.tasks:
            task.cancel()

    def give_back(self, pieces: int) -> None:
        for _ in range(pieces):
            self.room.release()


class AsyncBridge:
    """Turns asynchronous answers into what `VisionLanguageModel.generate` promises.

    answer: one request -> its pieces; the last one has a finish. A ModelError from it ends everything: the
    model is dead. Any other exception, and an end without a finish, ends that request as finish "error".
    max_in_flight: unanswered requests per call of `generate`. name: of the model, for messages.

    The limit is per call and not over all of them: a caller that stops reading, which its back-pressure
    allows, must not take the places of another.
    """

    def __init__(
        self, answer: Callable[[Request], AsyncGenerator[Piece, None]], max_in_flight: int, name: str
    ) -> None:
        if max_in_flight < 1:
            raise ModelError(f"max_in_flight must be at least 1, got {max_in_flight}.")
        self._answer = answer
        self._max_in_flight = max_in_flight
        self._name = name
        self._lock = threading.Lock()
        self._calls: set[_Call] = set()
        self._closing = False
        self._open = True
        """False once nothing more may be given to the loop. Read and written under the lock."""
        self._farewell: Callable[[], Awaitable[None]] | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._work, name=f"groundproof {name}", daemon=True)
        self._thread.start()

    def generate(self, requests: Iterable[Request]) -> Generator[Piece]:
        """Answers as they come. Requests are pulled in this thread, one whenever fewer than `max_in_flight`
        are unanswered; between two pulls, what has come is handed on. Closing the generator cancels.

        Raises: ModelError when the model was closed before, its loop died, or `answer` raised it.
        """
        call = _Call(max(PIECES_WAITING, 4 * self._max_in_flight))
        with self._lock:
            self._check_open()
            self._calls.add(call)
        try:
            yield from self._generate(call, iter(requests))
        finally:
            with self._lock:
                self._calls.discard(call)
            self._soon(call.cancel)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run in the loop's thread and wait for the result. Not from the loop's own thread.

        Raises: ModelError when the bridge is or gets closed; whatever the coroutine raises.
        """
        with self._lock:
            try:
                self._check_open()
            except ModelError:
                coroutine.close()
                raise
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except CancelledError as err:
            raise ModelError(f"{self._name} was closed before it had done what it was asked.") from err
        finally:
            future.cancel()  # Ctrl-C while waiting; without effect when done

    def close(self, farewell: Callable[[], Awaitable[None]] | None = None) -> None:
        """Cancel what runs (it ends with finish "cancelled") and stop the thread; from any thread, any
        number of times. farewell: awaited in the loop once nothing runs any more (closing a client).
        """
        with self._lock:
            if self._open and not self._closing:
                self._closing = True
                self._farewell = farewell
                self._loop.call_soon_threadsafe(self._loop.stop)
        if threading.current_thread() is not self._thread:
            self._thread.join(3 * CLOSE_S)

    def _generate(self, call: _Call, source: Iterator[Request]) -> Iterator[Piece]:
        in_flight, more = 0, True
        while more or in_flight:
            if more and in_flight < self._max_in_flight:
                request = None if self._closing else next(source, None)
                if request is None:
                    more = False
                    continue
                in_flight += 1
                if not self._soon(self._start, call, request):
                    call.pieces.put(Piece(request.request_id, "", finish="cancelled"))
            for piece in self._come(call, wait=not more or in_flight == self._max_in_flight):
                in_flight -= piece.finish is not None
                yield piece

    def _come(self, call: _Call, *, wait: bool) -> Iterator[Piece]:
        """What has come up to now; with `wait` at least one piece."""
        taken = 0
        for _ in range(max(call.pieces.qsize(), int(wait))):
            piece = self._next_piece(call)
            if isinstance(piece, ModelError):
                raise piece
            taken += piece.finish is None
            if taken >= call.taken_back:
                self._soon(call.give_back, taken)
                taken = 0
            yield piece
        if taken:
            self._soon(call.give_back, taken)

    def _next_piece(self, call: _Call) -> Piece | ModelError:
        while True:
            try:
                return call.pieces.get(timeout=WAKE_S)
            except queue.Empty:
                if not self._thread.is_alive() and call.pieces.empty():
                    return ModelError(f"The loop of {self._name} is gone; what was answered is kept.")

    def _check_open(self) -> None:
        if self._closing or not self._open or not self._thread.is_alive():
            raise ModelError(f"The model {self._name} was closed; open it again to ask more.")

    def _soon(self, what: Callable[..., object], *args: Any) -> bool:
        """Have it done in the loop's thread; False when the loop takes nothing more."""
        with self._lock:
            if self._open:
                self._loop.call_soon_threadsafe(what, *args)
            return self._open

    # In the loop's thread.

    def _start(self, call: _Call, request: Request) -> None:
        task = self._loop.create_task(self._feed(call, request))
        call.tasks.add(task)
        task.add_done_callback(lambda done: self._ended(call, request, done))

    async def _feed(self, call: _Call, request: Request) -> Piece:
        """Hand on the pieces of one answer; the last one is returned, so that it is given exactly once."""
        async with contextlib.aclosing(self._answer(request)) as pieces:
            async for piece in pieces:
                if piece.finish is not None:
                    return piece
                await call.room.acquire()
                call.pieces.put(piece)
        sentence = f"{self._name} stopped writing without saying why."
        return Piece(request.request_id, "", finish="error", error=sentence)

    def _ended(self, call: _Call, request: Request, task: asyncio.Task[Piece]) -> None:
        call.tasks.discard(task)
        if task.cancelled():
            call.pieces.put(Piece(request.request_id, "", finish="cancelled"))
            return
        error = task.exception()
        if error is None:
            call.pieces.put(task.result())
        elif isinstance(error, ModelError):
            call.pieces.put(error)
        else:
            call.pieces.put(Piece(request.request_id, "", finish="error", error=one_sentence(error)))

    def _work(self) -> None:
        asyncio.set_event_loop(self._loop)
        died: BaseException | None = None
        try:
            self._loop.run_forever()
        except BaseException as err:  # noqa: BLE001 - also SystemExit in a task: everyone waiting must hear
            died = err
        with self._lock:
            self._open = False
            calls = tuple(self._calls)
        if not self._closing:
            for call in calls:
                why = "" if died is None else f" ({one_sentence(died)})"
                call.pieces.put(ModelError(f"The loop of {self._name} died{why}; what was answered is kept."))
        try:
            self._loop.run_until_complete(self._leave())
        except BaseException:
            log.exception("closing %s", self._name)
            raise
        finally:
            self._loop.close()

    async def _leave(self) -> None:
        """Cancel everything, then say farewell. Tasks that resist are left behind after CLOSE_S."""
        await asyncio.sleep(0)  # what was given to the loop last becomes a task first
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSE_S)
        if self._farewell is not None:
            await asyncio.wait_for(self._farewell(), CLOSE_S)
        await self._loop.shutdown_asyncgens()


def one_sentence(err: BaseException) -> str:
    """The first line of an error, with its kind unless it was written for people."""
    lines = str(err).strip().splitlines()
    text = lines[0] if lines else type(err).__name__
    return text if isinstance(err, ModelError) or not lines else f"{type(err).__name__}: {text}"
