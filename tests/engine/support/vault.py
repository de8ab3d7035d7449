"""
A vault on loopback that keeps the key of a stack's secrets, as HashiCorp's does.

The passphrase in its place costs every command 0.2 s: a million rounds of hashing.
"""

from __future__ import annotations

import functools
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: What a stack's settings name as the provider of its secrets.
PROVIDER = "hashivault://tests"
_MARK = "vault:v1:"


@functools.cache
def vault() -> dict[str, str]:
    """Serve, in a thread of this process; returns the variables by which the CLI finds it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Transit)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return {
        "VAULT_SERVER_URL": f"http://127.0.0.1:{server.server_port}",
        "VAULT_SERVER_TOKEN": "made-up",
    }


class _Transit(BaseHTTPRequestHandler):
    """The engine `transit`: a ciphertext is the text, reversed."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        data: dict[str, Any]
        if self.path.startswith("/v1/transit/encrypt/"):
            data = {"ciphertext": _MARK + asked["plaintext"][::-1]}
        else:
            data = {"plaintext": asked["ciphertext"].removeprefix(_MARK)[::-1]}
        answer = json.dumps({"data": data}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_arguments: Any) -> None:
        pass
