"""Who may use the console: the browser of this machine, on the console's own page.

Decision: the server listens on loopback, but any web page that a person visits can send requests
there, and a name that it controls may come to point there. So the host must be ours, a change
must come from our own page and in a form that no foreign page can send unasked, and what is
sent back tells the browser to run nothing but our files.
"""

from __future__ import annotations

from aiohttp import web

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "object-src 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

_NAMES = ("127.0.0.1", "localhost")
_HTTP_PORT = 80


class Refused(Exception):  # noqa: N818 - a refusal, as the cloud's are
    """The console does not do that: an HTTP status, and a sentence that says why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def check(request: web.Request) -> None:
    """Refuse what does not come from the console's own page."""
    host = request.headers.get("Host", "").lower()
    hosts = _hosts(request)
    if host not in hosts:
        raise Refused(403, f"the console answers only at {' and '.join(hosts)}")
    origin = request.headers.get("Origin")
    reads = request.method in ("GET", "HEAD")
    if origin != f"http://{host}" and not (reads and origin is None):
        raise Refused(403, "changes are taken from the console's own page only")
    if not reads and request.content_type != "application/json":
        raise Refused(415, "a change must be sent as application/json")


def _hosts(request: web.Request) -> list[str]:
    # The port that was connected to, whatever a header says.
    address = request.transport.get_extra_info("sockname") if request.transport else None
    port = address[1] if address else None
    return [name if port == _HTTP_PORT else f"{name}:{port}" for name in _NAMES]
