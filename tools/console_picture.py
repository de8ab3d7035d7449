"""
Draw docs/images/console.png: the page of `simulate` with services in several states.

    python tools/console_picture.py                     the picture of the documentation
    python tools/console_picture.py --looks FOLDER      the page in light and dark, wide and narrow

Needs Chromium and its driver on the PATH.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
import time
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from pulumi_adbpg_model.clock import SystemClock
from pulumi_adbpg_model.domain import ModelServiceId, ModelServiceSpec
from pulumi_adbpg_model.errors import AdbpgModelError
from pulumi_adbpg_model.gateway import Gateway
from pulumi_adbpg_model.settings import Settings
from pulumi_adbpg_model.testing import Simulator

PICTURE = Path(__file__).resolve().parents[1] / "docs/images/console.png"
PICTURED, WIDE, NARROW = (1100, 620), (1280, 800), (400, 3000)
NODES = ("ai-1", "ai-2", "ai-3", "ai-4", "ai-5", "ai-6")


class Clock:
    """The time of day, some seconds ahead."""

    def __init__(self) -> None:
        self.ahead = -3600.0

    def __call__(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self.ahead


def play(simulator: Simulator, clock: Clock) -> None:
    """Let an hour pass in which services come up, fail, wait and go."""
    gateway = Gateway(Settings.resolve(lambda _: None, simulator.environment()), SystemClock())

    def create(
        model: str, *nodes: str, text: str = "", open_to: tuple[str, ...] = ()
    ) -> ModelServiceId:
        spec = ModelServiceSpec(
            "gp-demo", model, nodes, description=text or None, security_ip_list=open_to
        )
        return gateway.create_model_service(spec, f"token-{model}").id

    embedding = create(
        "Qwen3-Embedding-8B",
        "ai-1",
        text="Embeddings of the support articles",
        open_to=("10.0.0.0/8", "192.168.4.0/24"),
    )
    create("Qwen3-32B", "ai-2", "ai-3", text="Answers", open_to=("10.0.0.0/8",))
    clock.ahead += 2400
    reranker = create("Qwen3-Reranker-8B", "ai-4", text="Order of the search results")
    simulator.fail_service(reranker.model_service_id)
    clock.ahead += 1000
    leaving = create("Qwen3-Embedding-4B", "ai-5")
    clock.ahead += 130
    create("Qwen3-8B", "ai-6", text="Short answers", open_to=("10.0.0.0/8",))
    clock.ahead += 70
    with contextlib.suppress(AdbpgModelError):
        create("DeepSeek-R1-Distill-Qwen-14B", "ai-1")
    simulator.inject("throttled", "DescribeModelService")
    gateway.describe_model_service(embedding)
    gateway.delete_model_service(leaving)
    simulator.inject("internal-error", "CreateModelService", times=2)


def browser(folder: str, *, dark: bool) -> webdriver.Chrome:
    """A Chromium that nobody sees."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or sys.exit("Chromium is needed")
    for flag in ("headless=new", "no-sandbox", "no-proxy-server", f"user-data-dir={folder}"):
        options.add_argument(f"--{flag}")
    service = Service(shutil.which("chromedriver") or sys.exit("chromedriver is needed"))
    driver = webdriver.Chrome(options, service)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    return driver


def draw(
    endpoint: str, path: Path, size: tuple[int, int], *, dark: bool = False, dialog: bool = False
) -> None:
    """Open the page and save what it looks like."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        driver = browser(folder, dark=dark)
        try:
            metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
            driver.get(endpoint)
            wait = WebDriverWait(driver, 10)
            wait.until(lambda found: found.find_elements(By.CSS_SELECTOR, "#fault-doc:not(:empty)"))
            wait.until(lambda found: found.find_elements(By.CLASS_NAME, "node"))
            if dialog:
                driver.find_element(By.CSS_SELECTOR, "[data-act=change]").click()
            driver.save_screenshot(str(path))
        finally:
            driver.quit()
    print(path, path.stat().st_size, "bytes")


def main() -> None:
    """Draw what the arguments ask for."""
    clock = Clock()
    with Simulator(
        nodes=NODES,
        provision_seconds=600,
        delete_seconds=60,
        clock=clock,
        signing_clock=time.time,
    ) as simulator:
        if sys.argv[1:2] != ["--looks"]:
            play(simulator, clock)
            draw(simulator.endpoint, PICTURE, PICTURED)
            return
        folder = Path(sys.argv[2])
        folder.mkdir(parents=True, exist_ok=True)
        draw(simulator.endpoint, folder / "empty.png", WIDE)
        play(simulator, clock)
        draw(simulator.endpoint, folder / "light.png", WIDE)
        draw(simulator.endpoint, folder / "dark.png", WIDE, dark=True)
        draw(simulator.endpoint, folder / "dialog.png", WIDE, dialog=True)
        draw(simulator.endpoint, folder / "narrow.png", NARROW)
        draw(simulator.endpoint, folder / "narrow-dark.png", NARROW, dark=True)


if __name__ == "__main__":
    main()
