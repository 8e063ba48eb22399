"""A real HTTP server that stands in for a teacher: it answers chat completions as a test tells it to."""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[str, int], "str | tuple[int, str] | float"]
"""(text of the request, how often a request with this question came before) -> the answer's text, an HTTP error, or
seconds to be silent for."""


class TeacherServer:
    def __init__(self, answer: Answer) -> None:
        self.requests: list[dict] = []
        self.at_once = self.most_at_once = 0
        lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                text = body["messages"][1]["content"][-1]["text"]
                question = text.split('Question: "')[1].split('"')[0]
                with lock:
                    before = sum(r["question"] == question for r in outer.requests)
                    outer.requests.append({"question": question, "text": text, "body": body})
                    outer.at_once += 1
                    outer.most_at_once = max(outer.most_at_once, outer.at_once)
                said = answer(text, before)
                if isinstance(said, float):
                    time.sleep(said)
                    said = "too late"
                with lock:
                    outer.at_once -= 1
                status, content = said if isinstance(said, tuple) else (200, said)
                usage = {"prompt_tokens": 1000, "completion_tokens": 100}
                document = {
                    "choices": [{"message": {"role": "assistant", "content": content}}],
                    "usage": usage,
                }
                if status != 200:
                    document = {"error": {"message": content}}
                data = json.dumps(document).encode()
                try:
                    self.send_response(status)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)
                except OSError:
                    pass  # the client went away, as after a timeout

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1#teacher-9"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
