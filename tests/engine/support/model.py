"""A model service that answers, as far as the pages call one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: What every text is embedded as.
EMBEDDING = [0.25] * 5


class Model(ThreadingHTTPServer):
    """
    A server that answers who has the key.

    Args:
        key: The API key.
        url: The address of the service where requests name it, because the server is their proxy.
    """

    def __init__(self, key: str, url: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.key = key
        self.url = url
        #: Path and body of each request.
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.address = f"http://127.0.0.1:{self.server_port}"


class _Answering(BaseHTTPRequestHandler):
    server: Model

    def do_POST(self) -> None:
        model = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        model.asked.append((self.path, body))
        answers = {
            "/v1/rerank": {"results": [{"index": 1, "relevance_score": 0.9}]},
            "/v1/embeddings": {
                "object": "list",
                "model": body["model"],
                "data": [{"object": "embedding", "index": 0, "embedding": EMBEDDING}],
                "usage": {"prompt_tokens": 1, "total_tokens": 1},
            },
        }
        answer = answers.get(self.path.removeprefix(model.url))
        allowed = self.headers["Authorization"] == f"Bearer {model.key}"
        self.send_response(401 if not allowed else 200 if answer else 404)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_arguments: Any) -> None:
        pass


@contextmanager
def answering(model: Model) -> Iterator[Model]:
    """Serve, in a thread."""
    with model:
        thread = threading.Thread(target=model.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield model
        finally:
            model.shutdown()
            thread.join()
