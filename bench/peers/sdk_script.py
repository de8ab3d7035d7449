"""
What a careful engineer would write without Pulumi, on the official generated SDK.

Creates model services, waits for each, deletes them and waits until they are gone: a thread for
each service, a poll every 10 s. It keeps no state, and resumes nothing.

    python -m bench.peers.sdk_script COUNT
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from alibabacloud_gpdb20160503 import models
from alibabacloud_tea_openapi.exceptions import ClientException

from bench.names import INSTANCE, node
from bench.peers.official import describe, official

_POLL_S = 10.0


def _create(client: Any, number: int) -> str:
    request = models.CreateModelServiceRequest(
        dbinstance_id=INSTANCE,
        model_name="Qwen3-Embedding-8B",
        ai_nodes=[node(number)],
        description="A service of the benchmark.",
        security_iplist="10.0.0.0/8",
        client_token=str(uuid.uuid4()),
    )
    created: str = client.create_model_service(request).body.model_service_id
    while True:
        time.sleep(_POLL_S)
        status = describe(client, created).body.status
        if status == "active":
            return created
        if "fail" in status:
            raise RuntimeError(f"{created} is {status}")


def _delete(client: Any, service: str) -> None:
    request = models.DeleteModelServiceRequest(dbinstance_id=INSTANCE, model_service_id=service)
    client.delete_model_service(request)
    while True:
        try:
            describe(client, service)
        except ClientException as error:
            if str(error.code).endswith(".NotFound"):
                return
            raise
        time.sleep(_POLL_S)


def _measured(call: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    def cpu() -> float:
        spent = resource.getrusage(resource.RUSAGE_SELF)
        return spent.ru_utime + spent.ru_stime

    before, began = cpu(), time.perf_counter()
    answer = call()
    return answer, {"wall_s": time.perf_counter() - began, "cpu_s": cpu() - before}


def _main(count: int) -> None:
    client = official(os.environ)
    with ThreadPoolExecutor(max_workers=count) as pool:
        services, up = _measured(lambda: list(pool.map(lambda n: _create(client, n), range(count))))
        print(json.dumps(up), flush=True)
        sys.stdin.readline()  # until the calls so far are counted
        _, down = _measured(lambda: list(pool.map(lambda s: _delete(client, s), services)))
    print(json.dumps(down), flush=True)


if __name__ == "__main__":
    _main(int(sys.argv[1]))
