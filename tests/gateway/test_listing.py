"""ListModelServices: the list is complete, or the call raises."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_adbpg_model.clock import Deadline
from pulumi_adbpg_model.domain import ModelServiceSpec
from pulumi_adbpg_model.errors import ServerError, TransportError
from pulumi_adbpg_model.gateway import RetryPolicy
from pulumi_adbpg_model.testing import Simulator
from tests.gateway.support import INSTANCE, Answer, Stub, gateway_for, stub
from tests.lifecycle.fakes import FakeClock


def _ids(numbers: range) -> list[str]:
    return [f"ms-{number}" for number in numbers]


def _page(names: list[str], total: object) -> Answer:
    items = [{"ModelServiceId": name, "Status": "active"} for name in names]
    return Answer({"ModelServices": items, "TotalRecordCount": total, "RequestId": "r"})


def _listed(cloud: Stub) -> list[str]:
    services = gateway_for(cloud).list_model_services(INSTANCE)
    return [service.id.model_service_id for service in services]


@pytest.mark.parametrize(("count", "calls"), [(100, 1), (101, 2)])
def test_list_asks_page_by_page(count: int, calls: int) -> None:
    """More than one page's worth of services is had whole, without a call too many."""
    nodes = [f"ai-{number}" for number in range(count)]
    with Simulator(nodes=nodes, provision_seconds=0) as simulator:
        gateway = gateway_for(simulator)
        created = [
            gateway.create_model_service(
                ModelServiceSpec(INSTANCE, "Qwen3-8B", (node,)), f"token-{node}"
            ).id
            for node in nodes
        ]
        listed = gateway.list_model_services(INSTANCE)
        pages = [call.query["PageNumber"] for call in simulator.calls("ListModelServices")]
    assert [service.id for service in listed] == created
    assert pages == [str(number) for number in range(1, calls + 1)]


@pytest.mark.parametrize("total", [55, "55"])
def test_list_copes_with_a_cloud_that_caps_its_pages(total: object) -> None:
    """Pages of 20 where 100 were asked for are put together all the same."""
    names = _ids(range(55))

    def answer(query: dict[str, str]) -> Answer:
        number = int(query["PageNumber"])
        return _page(names[(number - 1) * 20 : number * 20], total)

    with stub(answer) as cloud:
        assert _listed(cloud) == names
        assert len(cloud.queries) == 3


def test_list_copes_with_pages_in_another_order() -> None:
    """The order of services over pages means nothing, and none is listed twice."""
    pages = {"1": ["ms-3", "ms-1"], "2": ["ms-1", "ms-0"], "3": ["ms-2"]}
    with stub(lambda query: _page(pages[query["PageNumber"]], 4)) as cloud:
        assert sorted(_listed(cloud)) == _ids(range(4))


def test_list_raises_when_pages_repeat() -> None:
    """A cloud that ignores the page number has shown less than it says there is, three times."""
    with stub(lambda _: _page(_ids(range(20)), 55)) as cloud:
        with pytest.raises(TransportError) as caught:
            _listed(cloud)
        calls = len(cloud.queries)
    assert str(caught.value) == (
        "ListModelServices of instance gp-demo failed: the pages do not add up to the total. "
        "Run the command again later."
    )
    assert calls == 6


def test_list_raises_when_the_total_is_too_high() -> None:
    """A total that is never reached is no proof of anything."""
    pages = {"1": _ids(range(3)), "2": []}
    text = "the pages do not add up to the total"
    with (
        stub(lambda query: _page(pages[query["PageNumber"]], 4)) as cloud,
        pytest.raises(TransportError, match=text),
    ):
        _listed(cloud)


@pytest.mark.parametrize("total", [0, 1, 19])
def test_list_asks_on_when_the_total_is_too_low(total: int) -> None:
    """A total that the first page already contradicts does not end the list."""
    names = _ids(range(50))

    def answer(query: dict[str, str]) -> Answer:
        number = int(query["PageNumber"])
        return _page(names[(number - 1) * 20 : number * 20], total)

    with stub(answer) as cloud:
        assert _listed(cloud) == names


@pytest.mark.parametrize("total", [None, "many", True, -1, 4.5])
def test_list_asks_until_no_more_come_without_a_total(total: object) -> None:
    """Where nothing says how many there are, a page that brings nothing new is the end."""
    pages = {"1": ["ms-0", "ms-1"], "2": ["ms-2"], "3": []}
    with stub(lambda query: _page(pages[query["PageNumber"]], total)) as cloud:
        assert _listed(cloud) == _ids(range(3))
        assert len(cloud.queries) == 3


@pytest.mark.parametrize(
    "body",
    [
        {"RequestId": "r"},
        {"ModelServices": None},
        {"ModelServices": None, "TotalRecordCount": 1},
        {"ModelServices": {"ModelService": []}, "TotalRecordCount": 0},
        {"ModelServices": "none", "TotalRecordCount": 0},
        {"ModelServices": ["ms-1"], "TotalRecordCount": 1},
        {"ModelServices": [{"Status": "active"}], "TotalRecordCount": 1},
        {"ModelServices": [{"ModelServiceId": ""}], "TotalRecordCount": 1},
        {"ModelServices": [{"ModelServiceId": " "}], "TotalRecordCount": 1},
        {"ModelServices": [{"ModelServiceId": True}], "TotalRecordCount": 1},
    ],
)
def test_list_raises_when_the_answer_holds_no_list(body: object) -> None:
    """An answer in another shape is never read as an empty list: that would be a false proof."""
    with stub(lambda _: Answer(body)) as cloud:
        with pytest.raises(TransportError) as caught:
            _listed(cloud)
        calls = len(cloud.queries)
    assert str(caught.value) == (
        "ListModelServices of instance gp-demo failed: the answer holds no list of services. "
        "Check the region, the endpoint, the network and the proxy settings."
    )
    assert calls == 7


def test_list_asks_again_for_a_page_that_holds_no_list() -> None:
    """Such an answer counts as none: the same page is asked for again."""
    answers = [Answer({"RequestId": "r"}), _page(["ms-0"], 2), Answer({}), _page(["ms-1"], 2)]
    with stub(lambda _: answers.pop(0)) as cloud:
        assert _listed(cloud) == ["ms-0", "ms-1"]
        assert [query["PageNumber"] for query in cloud.queries] == ["1", "1", "2", "2"]


@pytest.mark.parametrize(
    "body", [{"ModelServices": [], "TotalRecordCount": 0}, {"TotalRecordCount": 0}]
)
def test_list_reads_none_as_none(body: object) -> None:
    """An empty list, or no list and a total of zero, is empty."""
    with stub(lambda _: Answer(body)) as cloud:
        assert _listed(cloud) == []


def test_a_list_without_end_is_left_after_1000_pages() -> None:
    """A cloud that always has one more is read anew, as one whose list has changed."""

    def answer(query: dict[str, str]) -> Answer:
        again = query["PageNumber"] == "1" and len(cloud.queries) > 1
        return _page([f"ms-{query['PageNumber']}"], 1 if again else None)

    with stub(answer) as cloud:
        assert _listed(cloud) == ["ms-1"]
        pages = [int(query["PageNumber"]) for query in cloud.queries]
    assert pages == [*range(1, 1001), 1]


def test_list_is_complete_or_raises_for_any_pages() -> None:
    """Whatever the pages hold, what is returned has as many services as there are."""
    pages: list[list[int]] = []
    total = 0

    def answer(query: dict[str, str]) -> Answer:
        number = int(query["PageNumber"]) - 1
        page = pages[number] if number < len(pages) else []
        return _page([f"ms-{item}" for item in page], total)

    with stub(answer) as cloud:

        @given(st.lists(st.lists(st.integers(0, 9), max_size=6), max_size=6), st.integers(0, 2))
        def check(shown: list[list[int]], hidden: int) -> None:
            nonlocal pages, total
            every = {f"ms-{number}" for page in shown for number in page}
            pages, total = shown, len(every) + hidden
            try:
                listed = _listed(cloud)
            except TransportError:
                return
            assert (hidden, sorted(listed)) == (0, sorted(every))

        check()


def test_list_is_read_again_when_its_total_changes_between_the_pages() -> None:
    """A service that goes away meanwhile shifts the pages: nothing may fall between them."""
    before, after = _ids(range(3)), _ids(range(1, 3))
    answers = [
        _page(before[:2], 3),
        _page([], 2),  # ms-0 is gone: ms-2 has moved to the first page
        _page(after, 2),
    ]
    with stub(lambda _: answers.pop(0)) as cloud:
        assert _listed(cloud) == ["ms-1", "ms-2"]
        assert [query["PageNumber"] for query in cloud.queries] == ["1", "2", "1"]


def test_list_that_grows_and_shrinks_between_its_pages_is_not_believed() -> None:
    """As many services as the total says are no proof when the total was another before."""
    answers = [_page(["ms-0", "ms-1"], 4), _page(["ms-3"], 3), _page(["ms-1", "ms-2", "ms-3"], 3)]
    with stub(lambda _: answers.pop(0)) as cloud:
        assert _listed(cloud) == ["ms-1", "ms-2", "ms-3"]


def test_list_that_goes_on_changing_raises_after_three_readings() -> None:
    """A list that never holds still is no proof of anything."""
    totals = iter(range(10, 100))
    with stub(lambda query: _page([f"ms-{query['PageNumber']}"], next(totals))) as cloud:
        with pytest.raises(TransportError) as caught:
            _listed(cloud)
        pages = [query["PageNumber"] for query in cloud.queries]
    assert str(caught.value) == (
        "ListModelServices of instance gp-demo failed: the pages do not add up to the total. "
        "Run the command again later."
    )
    assert pages == ["1", "2", "1", "2", "1", "2"]


def test_list_shares_one_budget_between_its_pages() -> None:
    """What the first page used up is not there for the retries of the second."""
    clock = FakeClock()

    def answer(query: dict[str, str]) -> Answer:
        if query["PageNumber"] == "1":
            clock.advance(29.0)
            return _page(["ms-0"], 2)
        return Answer({"Code": "InternalError"}, 500)

    policy = RetryPolicy(attempts=100, first_wait_s=1.0, max_wait_s=1.0)
    with stub(answer) as cloud, pytest.raises(ServerError):
        gateway_for(cloud, clock, policy).within(Deadline.after(clock, 30.0)).list_model_services(
            INSTANCE
        )
    assert 29.0 <= clock.now <= 30.0


def test_list_starts_no_further_page_after_its_budget() -> None:
    """A slow cloud with many pages holds nobody up: it is not read again either."""
    clock = FakeClock()

    def answer(query: dict[str, str]) -> Answer:
        clock.advance(3.0)
        return _page([f"ms-{query['PageNumber']}"], 9)

    with stub(answer) as cloud:
        with pytest.raises(TransportError) as caught:
            gateway_for(cloud, clock).within(Deadline.after(clock, 5.0)).list_model_services(
                INSTANCE
            )
        pages = [query["PageNumber"] for query in cloud.queries]
    assert str(caught.value) == (
        "ListModelServices of instance gp-demo failed: there was no time to read all pages. "
        "Run the command again later."
    )
    assert pages == ["1", "2"]
