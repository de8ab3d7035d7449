"""The questions that change nothing."""

from __future__ import annotations

from pulumi_adbpg_model.survey._cloud import (
    NO_INSTANCE,
    NO_SERVICE,
    PAGE_SIZES,
    Cloud,
    id_of,
)
from pulumi_adbpg_model.survey._evidence import Evidence

#: So many services are described; what more there are adds nothing.
_DESCRIBED = 20
#: No page names it.
_WRONG_SIZE = 7
_FAR_PAGE = 100_000


def look(cloud: Cloud, evidence: Evidence) -> None:
    """Ask what changes nothing, noting each answer at once."""
    if evidence.models is None:
        evidence.models = cloud.models()
    if evidence.nodes is None:
        evidence.nodes = cloud.nodes()
    if evidence.listing is None:
        evidence.listing = cloud.listing()
    for size in PAGE_SIZES:
        evidence.pages[size] = cloud.page(1, size)
    evidence.page_past_end = cloud.page(_FAR_PAGE, PAGE_SIZES[-1])
    for item in evidence.listing.items[:_DESCRIBED]:
        service_id = id_of(item)
        if service_id is not None:
            evidence.described[service_id] = cloud.describe(service_id)
    evidence.unknown_service = cloud.unknown = cloud.describe(NO_SERVICE)
    evidence.unknown_instance["DescribeModelService"] = cloud.describe(NO_SERVICE, NO_INSTANCE)
    evidence.unknown_instance["ListModelServices"] = cloud.page(1, PAGE_SIZES[0], NO_INSTANCE)
    evidence.unknown_instance["ListAINodePools"] = cloud.ask(
        "ListAINodePools", {"DBInstanceId": NO_INSTANCE, "RegionId": cloud.region}
    )
    evidence.wrong["a PageSize that no page names"] = cloud.page(1, _WRONG_SIZE)
    evidence.wrong["no ModelServiceId"] = cloud.describe(None)
    evidence.wrong["an empty ModelServiceId"] = cloud.describe("")
