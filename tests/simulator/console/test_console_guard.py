"""Who gets the page, whose requests the API's are, and who may change anything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import requests

import pulumi_adbpg_model.simulator.console as package
from pulumi_adbpg_model.testing import Simulator
from tests.simulator.conftest import Raw, Sdk
from tests.simulator.console.conftest import Console

_FOLDER = Path(package.__file__).parent / "page"


def test_the_page_and_its_files_are_served(console: Console) -> None:
    """All that the page names is there, none of it elsewhere, and none of it is inline."""
    page = console.ask("GET", "/")
    assert (200, "text/html; charset=utf-8") == (page.status_code, page.headers["Content-Type"])
    named = set(re.findall(r'(?:href|src)="([^"]*)"', page.text))
    assert named
    for path in named | {f"/console/{file.name}" for file in _FOLDER.glob("*.[cjs]*")}:
        answer = console.ask("GET", path)
        assert 200 == answer.status_code, path
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", answer.text), path
    assert not re.search(r"<style|<script(?![^>]*src=)| style=| on[a-z]+=", page.text)


def test_the_scripts_make_no_markup_of_texts() -> None:
    """No script writes HTML or evaluates text."""
    for script in _FOLDER.glob("*.js"):
        text = script.read_text("utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", text)


@pytest.mark.parametrize("path", ["/", "/console/console.js", "/console/nothing"])
def test_answers_forbid_what_the_page_does_not_need(console: Console, path: str) -> None:
    """A strict policy goes with every answer, a refusal's too, and no other page may read it."""
    headers = console.ask("GET", path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "no-store" == headers["Cache-Control"]
    assert "nosniff" == headers["X-Content-Type-Options"]
    assert not [name for name in headers if name.lower().startswith("access-control")]


def test_the_console_leaves_no_trace(simulator: Simulator, console: Console, sdk: Sdk) -> None:
    """Its requests are not recorded, and no fault that waits for a call strikes them."""
    sdk.create("ai-1")
    simulator.inject("internal-error", times=None)
    assert 200 == console.ask("GET", "/").status_code
    assert 404 == console.ask("GET", "/console/nothing").status_code
    assert console.event("state")["instances"]
    assert 1 == len(simulator.requests)


def test_signed_requests_go_on_to_the_api(simulator: Simulator, raw: Raw) -> None:
    """A GET of the same path is the API's when it names an action, in a header or the query."""
    answer = raw.call("ListSupportModels", method="GET")
    assert "ModelNames" in answer.json()
    unversioned = requests.get(
        simulator.endpoint, {"Action": "ListSupportModels"}, timeout=10, allow_redirects=False
    )
    assert "Code" in unversioned.json()
    assert ["ListSupportModels", ""] == [request.action for request in simulator.requests]


@pytest.mark.parametrize(("method", "path"), [("POST", "/"), ("GET", "/moved"), ("HEAD", "/")])
def test_what_is_not_the_consoles_is_the_apis(
    simulator: Simulator, console: Console, method: str, path: str
) -> None:
    """Every other request is answered and recorded as before."""
    answer = console.ask(method, path)
    assert 400 <= answer.status_code < 500
    assert [path] == [request.path for request in simulator.requests]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "[::1]:{port}"]
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/console/events"), ("PUT", "/console/deployments")],
)
def test_a_foreign_name_is_refused(
    simulator: Simulator, console: Console, host: str, method: str, path: str
) -> None:
    """A name that came to point here (DNS rebinding) shows and changes nothing."""
    host = host.format(port=simulator.port)
    headers = {"Host": host, "Origin": f"http://{host}"}
    answer = console.ask(method, path, {"held": True}, headers=headers)
    assert 403 == answer.status_code
    assert f"127.0.0.1:{simulator.port}" in answer.json()["error"]
    assert not console.event("state")["held"]


def test_localhost_is_us_too(simulator: Simulator, console: Console) -> None:
    """The usual name of the machine works, for changes as well."""
    host = f"localhost:{simulator.port}"
    headers = {"Host": host, "Origin": f"http://{host}"}
    assert 200 == console.ask("GET", "/", headers=headers).status_code
    answer = console.ask("PUT", "/console/deployments", {"held": True}, headers=headers)
    assert 204 == answer.status_code


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/console/services/{id}"),
        ("DELETE", "/console/services/{id}"),
        ("PUT", "/console/deployments"),
        ("POST", "/console/faults"),
        ("DELETE", "/console/faults/1"),
    ],
)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": None}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": None}, 415),
    ],
)
def test_changes_come_from_our_own_page(
    simulator: Simulator,
    console: Console,
    sdk: Sdk,
    method: str,
    path: str,
    headers: dict[str, str],
    status: int,
) -> None:
    """What another page can send, or a form, changes nothing."""
    service_id = sdk.create("ai-1")
    simulator.inject("throttled")
    before = console.event("state")
    answer = console.ask(method, path.format(id=service_id), {"status": "x"}, headers=headers)
    assert status == answer.status_code
    assert before == console.event("state")


def test_other_pages_may_not_listen(console: Console) -> None:
    """A stream that another page asks for is refused."""
    answer = console.ask("GET", "/console/events", headers={"Origin": "http://evil.example"})
    assert 403 == answer.status_code
