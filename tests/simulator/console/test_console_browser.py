"""The page itself, in a real browser: what a person sees and does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from pulumi_adbpg_model.testing import Simulator
from tests.simulator.conftest import FakeClock, Refuse, Sdk, Start
from tests.simulator.console.browser import chromium
from tests.simulator.console.conftest import PATIENCE_S

_XSS = '<img src=x onerror="document.title=1"><script>document.title=2</script>'


class Page:
    """The open page."""

    def __init__(self, driver: Chrome, simulator: Simulator) -> None:
        self.driver = driver
        driver.get(simulator.endpoint)
        self.sees(lambda: self.text("#connection") == "Live")

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return self.find(selector).text

    def count(self, selector: str) -> int:
        return len(self.driver.find_elements(By.CSS_SELECTOR, selector))

    def sees(self, what: Callable[[], object]) -> None:
        """Wait until the page shows it by itself."""
        ignored = [NoSuchElementException, StaleElementReferenceException]
        wait = WebDriverWait(self.driver, PATIENCE_S, 0.05, ignored)
        wait.until(lambda _: what())

    def click(self, selector: str) -> None:
        self.find(selector).click()

    def write(self, selector: str, text: str) -> None:
        """Replace what a field holds."""
        self.find(selector).send_keys(Keys.CONTROL, "a")
        self.find(selector).send_keys(text)

    def problems(self) -> list[str]:
        """What the browser has complained about."""
        return [str(entry["message"]) for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            patch.delenv(name, raising=False)
        with chromium(tmp_path_factory.mktemp("browser")) as running:
            yield running


@pytest.fixture
def page(driver: Chrome, simulator: Simulator) -> Iterator[Page]:
    opened = Page(driver, simulator)
    yield opened
    problems = opened.problems()
    driver.get("about:blank")
    assert [] == problems


@pytest.mark.parametrize("required", ["", "1"])
def test_a_browser_that_is_required_has_to_be_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, required: str
) -> None:
    """In CI nothing is skipped; elsewhere the reason says what to install."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("ADBPG_REQUIRE_BROWSER", required)
    outcome = pytest.fail.Exception if required else pytest.skip.Exception
    with pytest.raises(outcome, match="no Chromium, no chromedriver"), chromium(tmp_path):
        pass


def test_an_empty_cloud_says_what_to_do(page: Page, simulator: Simulator) -> None:
    """The instance, its free nodes, and how to begin."""
    assert "gp-demo" in page.text(".instance h2")
    assert 4 == page.count(".node")
    assert "free" in page.text(".node")
    assert f"ADBPG_ENDPOINT={simulator.endpoint}" in page.text(".instance .empty")
    assert "No request yet" in page.text(".log")


def test_a_service_lives_before_our_eyes(
    page: Page, sdk: Sdk, clock: FakeClock, simulator: Simulator
) -> None:
    """It appears, becomes active, grows old and goes, all without a reload."""
    page.driver.execute_script("window.loadedOnce = true")
    service_id = sdk.create("ai-2", description="Answers")
    service = f"#{service_id}"
    page.sees(lambda: page.text(f"{service} .status") == "deployming")
    assert "done in 1 s" in page.text(f"{service} .age")
    assert "Qwen3-Embedding-8B" in page.text(".node:nth-child(2)")
    clock.advance(90)
    page.sees(lambda: page.text(f"{service} .status") == "active")
    page.sees(lambda: page.text(f"{service} .age") == "1 min 30 s old")
    assert service_id in str(page.find("#spoken").get_attribute("textContent"))
    sdk.delete(service_id)
    page.sees(lambda: page.count(".service") == 0)
    assert "free" in page.text(".node:nth-child(2)")
    assert page.driver.execute_script("return window.loadedOnce")
    assert 2 == len(simulator.requests)


def test_buttons_fail_change_and_delete(
    page: Page, sdk: Sdk, clock: FakeClock, simulator: Simulator
) -> None:
    """What the simulator then holds is the drift that a program will find."""
    service_id = sdk.create("ai-1", description="declared")
    clock.advance(1)
    service = f"#{service_id}"
    page.sees(lambda: page.text(f"{service} .status") == "active")

    page.click(f"{service} [data-act=fail]")
    page.sees(lambda: page.text(f"{service} .status") == "deploy_failed")
    assert "deploy_failed" == simulator.service(service_id).status

    page.click(f"{service} [data-act=change]")
    page.write("#change [name=description]", "by hand")
    page.write("#change [name=security_ip_list]", "10.0.0.0/99")
    page.find("#change [name=security_ip_list]").send_keys(Keys.ENTER)
    page.sees(lambda: "10.0.0.0/99" in page.text("#change [role=alert]"))
    assert "declared" == simulator.service(service_id).description
    page.write("#change [name=security_ip_list]", "10.0.0.0/8")
    page.click("#change [type=submit]")
    page.sees(lambda: page.text(f"{service} [data-field=description]") == "by hand")
    changed = simulator.service(service_id)
    assert ("by hand", ("10.0.0.0/8",)) == (changed.description, changed.security_ip_list)
    assert "deploy_failed" == changed.status

    page.click(f"{service} [data-act=remove]")
    page.find("#removal").send_keys(Keys.ESCAPE)
    page.sees(lambda: not page.find("#removal").is_displayed())
    assert simulator.services
    page.click(f"{service} [data-act=remove]")
    page.click("#removal [type=submit]")
    page.sees(lambda: page.count(".service") == 0)
    assert [] == simulator.services
    # The refused whitelist is the one complaint that there should be.
    (problem,) = page.problems()
    assert "400" in problem


def test_faults_and_holds_are_switched(
    page: Page, sdk: Sdk, refusal: Refuse, clock: FakeClock, simulator: Simulator
) -> None:
    """A fault strikes the next call and is gone; one that lasts is switched off."""
    Select(page.find("[name=fault]")).select_by_value("quota")
    Select(page.find("[name=action]")).select_by_value("CreateModelService")
    assert "QuotaNotEnough" in page.text("#fault-doc")
    page.click("#fault-form [type=submit]")
    page.sees(lambda: "CreateModelService, once" in page.text("#waiting"))
    assert "QuotaNotEnough" == refusal(sdk.create).code
    page.sees(lambda: page.count("#waiting li") == 0)
    page.sees(lambda: page.text(".request .fault") == "fault: quota")

    page.click("[name=lasting]")
    page.click("#fault-form [type=submit]")
    page.sees(lambda: "until switched off" in page.text("#waiting"))
    page.click("#waiting button")
    page.sees(lambda: page.count("#waiting li") == 0)

    page.click("#hold")
    page.sees(lambda: page.text("#hold") == "Release")
    service_id = sdk.create()
    clock.advance(9)
    assert "deployming" == simulator.service(service_id).status
    page.click("#hold")
    page.sees(lambda: page.text(".service .status") == "active")


def test_the_log_shows_parameters_and_no_secret(page: Page, sdk: Sdk, simulator: Simulator) -> None:
    """A request opens to all it carried, with its signature masked."""
    sdk.create("ai-1", description="Answers")
    sdk.list()
    page.sees(lambda: page.count(".request") == 2)
    assert "ListModelServices" in page.text(".request:first-child")
    page.click(".request:last-child summary")
    shown = page.text(".request:last-child .all")
    assert "Answers" in shown
    assert "authorization\n********" in shown.replace("Authorization", "authorization")
    signature = simulator.requests[0].headers["authorization"]
    assert signature not in page.driver.page_source

    page.click("#terse")
    assert not page.find(".request:first-child").is_displayed()
    assert page.find(".request:last-child").is_displayed()


def test_texts_of_the_cloud_are_never_markup(
    page: Page, sdk: Sdk, clock: FakeClock, simulator: Simulator
) -> None:
    """A description, a model or a status with markup in it is shown as it is."""
    service_id = sdk.create("ai-1", description=_XSS)
    simulator.change_service(service_id, model_name=_XSS, status=_XSS, api_key=_XSS)
    page.sees(lambda: page.text(".service [data-field=description]") == _XSS)
    page.sees(lambda: page.text(".service h4") == _XSS)
    page.click(".request summary")
    page.click(".service summary")
    assert _XSS in page.text(".request .all")
    page.click(".service [data-act=change]")
    assert _XSS == page.find("#change [name=description]").get_attribute("value")
    assert "Simulated cloud" == page.driver.title
    assert 1 == page.count("img")
    assert 1 == page.count("script")


def test_a_long_cloud_scrolls_by_itself(driver: Chrome, start: Start) -> None:
    """With many nodes the levers and the log stay in sight: the page itself does not scroll."""
    page = Page(driver, start(nodes=[f"ai-{number}" for number in range(60)]))
    page.sees(lambda: page.count(".node") == 60)
    moves = "return arguments[0].scrollHeight > arguments[0].clientHeight"
    assert driver.execute_script(moves, page.find("#instances"))
    assert not driver.execute_script(moves, page.find("html"))
    driver.get("about:blank")


def test_a_stopped_simulator_is_noticed_and_found_again(
    driver: Chrome, start: Start, connect: type[Sdk]
) -> None:
    """The page says that it is cut off, and shows the truth again once there is one."""
    simulator = start()
    page = Page(driver, simulator)
    connect(simulator).list()
    page.sees(lambda: page.count(".request") == 1)
    simulator.stop()
    page.sees(lambda: page.text("#connection") == "Not connected")
    simulator.start()
    page.sees(lambda: page.text("#connection") == "Live")
    connect(simulator).pools()
    page.sees(lambda: "ListAINodePools" in page.text(".request"))
    assert 2 == page.count(".request")
    driver.get("about:blank")
    page.problems()
