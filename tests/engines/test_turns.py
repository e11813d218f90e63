"""Who may run when: nobody runs beside what stands in the way, nobody overtakes, everybody gets a turn."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from llmcompare.engines.turns import Turns

requests = st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), min_size=1, max_size=12)


@given(requests=requests, data=st.data())
def test_tickets_that_conflict_never_run_at_once_and_run_in_the_order_in_which_they_came(requests, data):
    turns = Turns()
    tickets = [turns.take(key, alone=alone) for key, alone in requests]
    waiting, ended = list(tickets), []
    while waiting:
        running = [ticket for ticket in waiting if turns.place(ticket) == 0]
        assert running, "everybody waits for somebody else"
        for one in running:
            assert not any(one.conflicts_with(other) for other in running if other is not one)
        chosen = data.draw(st.sampled_from(running))
        turns.give_back(chosen)
        waiting.remove(chosen)
        ended.append(chosen)
    for earlier, later in [(a, b) for i, a in enumerate(tickets) for b in tickets[i + 1 :] if a.conflicts_with(b)]:
        assert ended.index(earlier) < ended.index(later)


def test_the_place_counts_only_what_stands_in_the_way():
    turns = Turns()
    turns.take("a", alone=False)
    assert turns.place(turns.take("b", alone=False)) == 0
    assert turns.place(turns.take("a", alone=False)) == 1
    assert turns.place(turns.take("c", alone=True)) == 3
    assert turns.place(turns.take("d", alone=False)) == 1


def test_who_gives_up_waiting_lets_the_next_one_through():
    turns = Turns()
    first, second, third = (turns.take("a", alone=False) for _ in range(3))
    turns.give_back(second)
    assert turns.place(third) == 1
    turns.give_back(first)
    assert turns.place(third) == 0


def test_a_wait_ends_when_the_turn_comes():
    turns = Turns()
    first, second = turns.take("a", alone=False), turns.take("a", alone=False)
    threading.Timer(0.05, turns.give_back, [first]).start()
    assert turns.place(second, wait_s=30) == 0
