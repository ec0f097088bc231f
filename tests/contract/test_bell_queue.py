"""What every doorbell does (`ports.BellQueue`)."""

import threading
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recording_service.core.errors import QueueUnavailable
from recording_service.core.model import Bell, Occasion, Work
from recording_service.core.ports import BellQueue
from tests.contract.queues import BreakableQueue

ACCOUNT = "AC" + "a" * 32


def bell(number: int, attempt: int = 1) -> Bell:
    return Bell(ACCOUNT, f"RE{number:032x}", attempt)


def heard_by(breakable: BreakableQueue) -> list[Bell]:
    """Everything a worker hears until it is quiet."""
    heard = []
    while (one := breakable.hear()) is not None:
        heard.append(one)
    return heard


def unheard(queue: BellQueue, *bells: Bell) -> set[Bell]:
    """Those of the bells that nobody has heard, by either way to ask."""
    every = {work: queue.unheard(work) for work in Work}
    found = {one for one in bells if queue.is_unheard(one)}
    assert found == {one for one in bells if one in every[one.work]}
    return found


def test_a_bell_that_rang_waits_until_it_is_heard(breakable_queue: BreakableQueue) -> None:
    queue = breakable_queue.queue
    queue.ring([bell(1), bell(2)])

    assert (queue.waiting(), unheard(queue, bell(1), bell(2))) == (2, {bell(1), bell(2)})
    assert breakable_queue.hear() == bell(1)
    assert (queue.waiting(), unheard(queue, bell(1), bell(2))) == (1, {bell(2)})


def test_bells_are_heard_in_the_order_in_which_they_rang(breakable_queue: BreakableQueue) -> None:
    breakable_queue.queue.ring([bell(3), bell(1), bell(2)])
    breakable_queue.queue.ring([bell(0)])

    assert heard_by(breakable_queue) == [bell(3), bell(1), bell(2), bell(0)]


def test_a_bell_rings_once_however_often_it_is_rung(breakable_queue: BreakableQueue) -> None:
    breakable_queue.queue.ring([bell(1), bell(1), bell(2)])
    breakable_queue.queue.ring([bell(2), bell(3), bell(1)])

    assert heard_by(breakable_queue) == [bell(1), bell(2), bell(3)]


def test_of_many_who_ring_one_bell_at_once_it_rings_for_one(breakable_queue: BreakableQueue) -> None:
    ringers = [threading.Thread(target=breakable_queue.queue.ring, args=([bell(1), bell(2)],)) for _ in range(16)]
    for ringer in ringers:
        ringer.start()
    for ringer in ringers:
        ringer.join()

    assert heard_by(breakable_queue) == [bell(1), bell(2)]


def test_a_bell_that_was_heard_is_remembered_and_its_next_attempt_rings(breakable_queue: BreakableQueue) -> None:
    queue = breakable_queue.queue
    queue.ring([bell(1)])
    breakable_queue.hear()

    queue.ring([bell(1)])
    assert (queue.waiting(), unheard(queue, bell(1))) == (0, set())
    queue.ring([bell(1, attempt=2)])
    assert heard_by(breakable_queue) == [bell(1, attempt=2)]


def test_the_same_recording_of_two_accounts_has_two_bells(breakable_queue: BreakableQueue) -> None:
    other = bell(1)._replace(account_sid="AC" + "b" * 32)
    breakable_queue.queue.ring([bell(1), other])

    assert heard_by(breakable_queue) == [bell(1), other]


def test_the_two_kinds_of_work_on_a_recording_have_bells_and_hearers_of_their_own(
    breakable_queue: BreakableQueue,
) -> None:
    queue = breakable_queue.queue
    download, processing = (bell(1)._replace(work=work) for work in Work)
    queue.ring([processing, download, bell(2)])

    assert (queue.waiting(), queue.waiting(Work.PROCESSING)) == (2, 1)
    assert unheard(queue, download, processing) == {download, processing}
    assert breakable_queue.hear(Work.PROCESSING) == processing
    assert breakable_queue.hear(Work.PROCESSING) is None
    assert unheard(queue, download, processing) == {download}
    assert heard_by(breakable_queue) == [download, bell(2)]


@pytest.mark.parametrize("work", Work)
def test_each_occasion_to_ring_has_a_bell_of_its_own(breakable_queue: BreakableQueue, work: Work) -> None:
    one = bell(1)._replace(work=work)
    rung = [one, one.echo, one.again]
    for each in rung:
        breakable_queue.queue.ring([each, each])
    assert [breakable_queue.hear(work) for _ in range(4)] == [*rung, None]


@pytest.mark.parametrize("work", Work)
def test_the_echo_of_a_bell_is_another_bell_of_its_kind(breakable_queue: BreakableQueue, work: Work) -> None:
    queue, one = breakable_queue.queue, bell(1)._replace(work=work)
    queue.ring([one])
    assert breakable_queue.hear(work) == one

    queue.ring([one.echo, one.echo])
    assert (queue.waiting(work), unheard(queue, one, one.echo)) == (1, {one.echo})
    assert breakable_queue.hear(work) == one.echo


def test_a_bell_that_never_rang_is_not_unheard(breakable_queue: BreakableQueue) -> None:
    breakable_queue.queue.ring([bell(1)])

    assert unheard(breakable_queue.queue, bell(2), bell(1, attempt=2)) == set()


def test_no_bells_are_rung_and_looked_for_without_harm(breakable_queue: BreakableQueue) -> None:
    breakable_queue.queue.ring([])

    assert unheard(breakable_queue.queue) == set()
    assert breakable_queue.queue.waiting() == 0


def test_a_queue_that_forgets_says_so_by_another_incarnation(breakable_queue: BreakableQueue) -> None:
    queue = breakable_queue.queue
    before = queue.incarnation()
    queue.ring([bell(1)])
    breakable_queue.hear()
    assert queue.incarnation() == before

    breakable_queue.forget()
    assert queue.incarnation() != before


def test_a_bell_that_was_forgotten_rings_again(breakable_queue: BreakableQueue) -> None:
    breakable_queue.queue.ring([bell(1), bell(2)])
    breakable_queue.hear()
    breakable_queue.forget()
    assert unheard(breakable_queue.queue, bell(1), bell(2)) == set()

    breakable_queue.queue.ring([bell(1), bell(2)])
    assert heard_by(breakable_queue) == [bell(1), bell(2)]


@pytest.mark.parametrize(
    "use",
    [
        lambda queue: queue.ring([bell(1)]),
        lambda queue: queue.waiting(),
        lambda queue: queue.waiting(Work.PROCESSING),
        lambda queue: queue.is_unheard(bell(1)),
        lambda queue: queue.unheard(Work.PROCESSING),
        lambda queue: queue.incarnation(),
        lambda queue: queue.check(),
    ],
    ids=["ring", "waiting", "waiting for processing", "is unheard", "unheard", "incarnation", "check"],
)
def test_a_queue_that_is_away_says_so_and_works_when_it_is_back(
    breakable_queue: BreakableQueue, use: Callable[[BellQueue], object]
) -> None:
    use(breakable_queue.queue)
    breakable_queue.break_down()
    for _ in range(2):
        with pytest.raises(QueueUnavailable):
            use(breakable_queue.queue)

    breakable_queue.mend()
    use(breakable_queue.queue)


def test_closing_twice_does_no_harm(breakable_queue: BreakableQueue) -> None:
    breakable_queue.queue.check()
    breakable_queue.queue.close()
    breakable_queue.queue.close()


#: What may happen to a queue: bells are rung, one is heard, everything is forgotten.
EVENTS = st.lists(
    st.one_of(
        st.lists(
            st.builds(
                Bell,
                st.just(ACCOUNT),
                st.integers(0, 4).map(lambda number: bell(number).recording_sid),
                st.integers(1, 2),
                st.sampled_from(Work),
                st.sampled_from(Occasion),
            ),
            max_size=6,
        ),
        st.sampled_from(Work),
        st.just("forget"),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS)
def test_whatever_happens_every_bell_that_rang_is_heard_once(
    breakable_queue: BreakableQueue, events: list[list[Bell] | str]
) -> None:
    breakable_queue.forget()
    queue = breakable_queue.queue
    waiting: dict[Work, list[Bell]] = {work: [] for work in Work}
    known: set[Bell] = set()
    for event in events:
        if isinstance(event, Work):
            assert breakable_queue.hear(event) == (waiting[event].pop(0) if waiting[event] else None)
        elif event == "forget":
            breakable_queue.forget()
            waiting, known = {work: [] for work in Work}, set()
        elif isinstance(event, list):
            queue.ring(event)
            for one in event:
                if one not in known:
                    known.add(one)
                    waiting[one.work].append(one)
        assert {work: queue.waiting(work) for work in Work} == {work: len(bells) for work, bells in waiting.items()}
        assert unheard(queue, *known) == {one for bells in waiting.values() for one in bells}
