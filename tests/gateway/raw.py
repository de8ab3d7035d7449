"""A server on loopback that answers with any bytes, in clear or over TLS, and keeps what it got."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

#: Writes an answer, or a part of one.
Respond = Callable[[socket.socket], None]


@dataclass(frozen=True)
class RawServer:
    """Where it listens, the head of each request, and how many connections came."""

    port: int
    requests: list[str]
    connections: list[int]


def answer(content: bytes, *headers: str, status: str = "200 OK") -> Respond:
    """A complete answer, with its length unless the headers say something about it."""
    given = [*headers]
    if not any(h.lower().startswith(("content-length", "transfer-encoding")) for h in given):
        given.append(f"content-length: {len(content)}")
    head = "\r\n".join([f"HTTP/1.1 {status}", *given])
    return lambda connection: connection.sendall(f"{head}\r\n\r\n".encode() + content)


@contextmanager
def raw_server(respond: Respond, tls: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    """
    A running server. A connection stays open as long as the client wants.

    Args:
        respond: Called for each request.
        tls: Answer over TLS.
    """
    requests: list[str] = []
    connections: list[int] = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            connections.append(len(connections))
            with contextlib.suppress(OSError):  # the client may hang up whenever it likes
                if tls is None:
                    self._serve(self.request)
                else:
                    with tls.wrap_socket(self.request, server_side=True) as connection:
                        self._serve(connection)

        def _serve(self, connection: socket.socket) -> None:
            stream = connection.makefile("rb")
            while head := _head(stream):
                requests.append(head)
                respond(connection)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield RawServer(server.server_address[1], requests, connections)
        server.shutdown()
        thread.join()


def _head(stream: BinaryIO) -> str:
    lines: list[str] = []
    length = 0
    while (line := stream.readline().decode().rstrip("\r\n")) or not lines:
        if not line:
            return ""
        lines.append(line)
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            length = int(value)
    stream.read(length)
    return "\n".join(lines)


def certificate(folder: Path, host: str, *, days: int = 1) -> tuple[ssl.SSLContext, Path]:
    """
    A throwaway certificate that vouches for itself.

    Args:
        folder: Where its files go.
        host: The name or address that it is for.
        days: How long it is valid from now; negative: how long ago that ended.

    Returns:
        The context of a server that shows it, and the file of those who want to trust it.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = dt.datetime.now(dt.timezone.utc)
    try:
        known_as: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        known_as = x509.DNSName(host)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=9))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([known_as]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "certificate.pem", folder / "key.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, public
