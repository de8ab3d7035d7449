"""How far this machine's clock is from the cloud's, which takes no signature of another time."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

from requests import PreparedRequest, RequestException

from pulumi_adbpg_model.clock import Clock
from pulumi_adbpg_model.gateway._endpoints import endpoint_of
from pulumi_adbpg_model.gateway._transport import GuardedSession
from pulumi_adbpg_model.settings import Settings


def time_ahead_s(settings: Settings, clock: Clock, *, timeout_s: float = 5.0) -> float | None:
    """
    Ask the endpoint for the time, with a request that is not signed and needs no credentials.

    Args:
        settings: Whose endpoint to ask.
        clock: Bounds the answer.
        timeout_s: How long to wait for it, in seconds.

    Returns:
        How far this machine is ahead, in whole seconds; negative when it is behind. None when the
        endpoint does not answer, or without a time.

    Raises:
        ConfigurationError: Neither a region nor an endpoint is set.
    """
    url = endpoint_of(settings)
    session = GuardedSession(clock, timeout_s, secure=url.startswith("https:"))
    request = PreparedRequest()
    request.prepare(method="GET", url=f"{url}/")
    try:
        date = session.send(request).headers.get("Date")
        return (
            None if date is None else round(time.time() - parsedate_to_datetime(date).timestamp())
        )
    except (RequestException, ValueError):
        return None
