"""A stand-in as slow as a large model on a GPU, which takes no processor time here. Run as a program, it is the service
around that stand-in: python scripts/bench_parts/pacing.py --port 8935 --workers 16 --token-env NAME --data-dir DIR
"""

from __future__ import annotations

import argparse
import os
import time
from collections import deque
from collections.abc import Generator, Iterable
from pathlib import Path

from groundproof.models.base import Piece, Request
from groundproof.models.profiles import get_profile

PACE_S = 5.0
"""Of one answer: some 500 tokens at 100 a second."""
PLACES = 16
ANSWER = (
    "<think><plan>Scan the tile row by row.</plan><evidence>E1 airplane, centre [400,400,600,600]. </evidence>"
    "<synthesis>E1 is an airplane, 1 in all.</synthesis></think><answer>1</answer>"
)


class Paced:
    """Stands where a model does: answers `max_in_flight` at once, each after `pace_s`; notes what it is asked."""

    def __init__(self, pace_s: float = 0.0) -> None:
        self.profile = get_profile("tiny")
        self.identity = "paced"
        self.max_in_flight = PLACES
        self.constrains = self.continuous = True
        self.noted: list[Request] = []
        self._pace_s = pace_s

    def generate(self, requests: Iterable[Request]) -> Generator[Piece]:
        """An answer with one box each, word by word."""
        source = iter(requests)
        waiting: deque[tuple[float, Request]] = deque()
        while True:
            while len(waiting) < self.max_in_flight and (request := next(source, None)):
                self.noted.append(request)
                waiting.append((time.monotonic() + self._pace_s, request))
            if not waiting:
                return
            due, request = waiting.popleft()
            time.sleep(max(due - time.monotonic(), 0.0))
            for word in ANSWER.split(" "):
                yield Piece(request.request_id, f"{word} ", logprob=-0.1)
            yield Piece(request.request_id, "", finish="stop")

    def close(self) -> None:
        """Nothing runs."""


def main() -> None:
    """The service, until it is stopped."""
    import uvicorn

    from groundproof.service.app import create_app
    from groundproof.service.settings import ServiceSettings

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--token-env", required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    args = parser.parse_args()
    settings = ServiceSettings(
        data_dir=args.data_dir, token=os.environ[args.token_env], port=args.port, workers=args.workers
    )
    uvicorn.run(create_app(settings, Paced(PACE_S)), host="127.0.0.1", port=args.port, log_level="error")


if __name__ == "__main__":
    main()
