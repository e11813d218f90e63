"""The compiled loop of the simulation of serverless workers. Imported only when something is simulated.

Every request takes the same time, and so does every start. So requests end in the order in which they began, and
workers become ready in the order in which they were started: two rings of events instead of a heap.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

CHUNK = 1 << 17
"""Gaps between arrivals drawn at a time; they stay in the processor's cache."""


@njit(cache=True)
def billed_life_s(life_s: float, minimum_s: float, rounding_s: float) -> float:
    """A worker's seconds from start to stop, brought to a minimum and rounded up."""
    billed_s = max(life_s, minimum_s)
    if rounding_s > 0:
        # A life of whole units that floats make a hair longer is still that many units.
        billed_s = np.ceil(billed_s / rounding_s - 1e-9) * rounding_s
    return billed_s


@njit(cache=True)
def loop(
    random: np.random.Generator,
    hourly: NDArray[np.float64],
    end_s: float,
    service_s: float,
    cold_start_s: float,
    idle_timeout_s: float,
    slots: int,
    max_workers: int,
    minimum_s: float,
    rounding_s: float,
    batches: NDArray[np.int64],
    wait_bins: NDArray[np.int64],
    wait_bin_s: float,
    workers: int,
    events: int,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Seconds (until when, setup, idle, life, rounded life, waited) and counts (see the end) of a simulation.

    It stops before its end when the room for workers or events, both powers of two, is used up. One function on
    purpose: handing its arrays over to smaller ones took ten times as long as what they did, and arrays that grow in
    the loop twice as long (430 and 80 instead of 40 ns a request).
    """
    free = np.zeros(workers, np.int64)
    # Infinite for a worker that is down, and for one that is not idle.
    started_s, idle_since_s = np.full(workers, np.inf), np.full(workers, np.inf)
    # Ready workers with a free slot, the most recently used on top; workers that are down.
    open_stack, down_stack = np.zeros(workers, np.int64), np.zeros(workers, np.int64)
    # Rings: requests that will leave, workers that will be ready, requests that wait.
    leaving_s, leaving_worker = np.zeros(events), np.zeros(events, np.int64)
    ready_s, ready_worker = np.zeros(workers), np.zeros(workers, np.int64)
    waiting_s, waiting_cold = np.zeros(events), np.zeros(events, np.int64)
    leaving_head = leaving = ready_head = readying = waiting_head = waiting = 0
    known = up = starting = opened = down = starts = peak = requests = cold = queued = cold_served = 0
    setup_s = idle_s = life_s = rounded_s = waited_s = now_s = 0.0
    next_check_s = next_leave_s = next_ready_s = np.inf
    hour, hour_ends_s, rate = 0, 3600.0, hourly[0]
    # A hair less than one, so that no arrival before the end falls into a batch after the last.
    batches_per_s, bins_per_s = len(batches) / end_s * (1 - 1e-12), 1 / wait_bin_s
    gaps, drawn = random.standard_exponential(CHUNK), 0
    while True:
        # The next arrival: gaps are drawn for a rate of one and stretched to the rate of whatever hour it is.
        if drawn == CHUNK:
            gaps, drawn = random.standard_exponential(CHUNK), 0
        gap, drawn = gaps[drawn], drawn + 1
        while gap > (hour_ends_s - now_s) * rate and hour_ends_s < end_s:
            gap -= (hour_ends_s - now_s) * rate
            now_s, hour_ends_s = hour_ends_s, hour_ends_s + 3600.0
            hour = (hour + 1) % hourly.size
            rate = hourly[hour]
        is_over = gap >= (end_s - now_s) * rate
        now_s = end_s if is_over else now_s + gap / rate

        # Until then requests leave and workers become ready; each takes on what waits.
        while next_leave_s <= now_s or next_ready_s <= now_s:
            if next_leave_s <= next_ready_s:
                at_s, worker, taken = next_leave_s, leaving_worker[leaving_head], min(1, waiting)
                leaving_head, leaving = (leaving_head + 1) & (events - 1), leaving - 1
                was_full = free[worker] == 0
                free[worker] += 1 - taken
            else:
                at_s, worker, taken = next_ready_s, ready_worker[ready_head], min(slots, waiting)
                ready_head, readying = (ready_head + 1) & (workers - 1), readying - 1
                next_ready_s = ready_s[ready_head] if readying else np.inf
                was_full, free[worker] = True, slots - taken
                starting, up, setup_s = starting - 1, up + 1, setup_s + cold_start_s
            for _ in range(taken):
                if waiting_cold[waiting_head]:
                    wait_s = at_s - waiting_s[waiting_head]
                    waited_s, cold_served = waited_s + wait_s, cold_served + 1
                    wait_bins[min(int(wait_s * bins_per_s), wait_bins.size - 1)] += 1
                waiting_head, waiting = (waiting_head + 1) & (events - 1), waiting - 1
                place = (leaving_head + leaving) & (events - 1)
                leaving_s[place], leaving_worker[place], leaving = at_s + service_s, worker, leaving + 1
            next_leave_s = leaving_s[leaving_head] if leaving else np.inf
            if was_full and free[worker]:
                open_stack[opened], opened = worker, opened + 1
            if free[worker] == slots:
                idle_since_s[worker] = at_s
                next_check_s = min(next_check_s, at_s + idle_timeout_s)

        # Workers that have been idle for too long stop; the others keep their order.
        if next_check_s <= now_s:
            next_check_s, kept = np.inf, 0
            for place in range(opened):
                worker = open_stack[place]
                stops_s = idle_since_s[worker] + idle_timeout_s
                if stops_s > now_s:
                    next_check_s = min(next_check_s, stops_s)
                    open_stack[kept], kept = worker, kept + 1
                    continue
                life_s += stops_s - started_s[worker]
                rounded_s += billed_life_s(stops_s - started_s[worker], minimum_s, rounding_s)
                idle_s += idle_timeout_s
                free[worker], started_s[worker], idle_since_s[worker] = 0, np.inf, np.inf
                down_stack[down], down, up = worker, down + 1, up - 1
            opened = kept
        if is_over or leaving + waiting + 1 >= events or (down == 0 and known == workers):
            break

        # The request goes to the most recently used worker with a free slot.
        batch = int(now_s * batches_per_s)
        batches[batch, 0] += 1
        requests += 1
        if opened:
            worker = open_stack[opened - 1]
            if free[worker] == slots:
                idle_s += now_s - idle_since_s[worker]
                idle_since_s[worker] = np.inf
            free[worker] -= 1
            if free[worker] == 0:
                opened -= 1
            place = (leaving_head + leaving) & (events - 1)
            leaving_s[place], leaving_worker[place], leaving = now_s + service_s, worker, leaving + 1
            next_leave_s = min(next_leave_s, now_s + service_s)
            continue

        # There is none: it waits, and a worker starts unless those that start have slots for all that wait.
        if waiting >= starting * slots and up + starting < max_workers:
            if down:
                down -= 1
                worker = down_stack[down]
            else:
                worker, known = known, known + 1
            started_s[worker] = now_s
            place = (ready_head + readying) & (workers - 1)
            ready_s[place], ready_worker[place], readying = now_s + cold_start_s, worker, readying + 1
            next_ready_s = min(next_ready_s, now_s + cold_start_s)
            starting, starts = starting + 1, starts + 1
            peak = max(peak, up + starting)
        is_cold = 1 if starting else 0
        cold, queued = cold + is_cold, queued + 1 - is_cold
        batches[batch, 1] += is_cold
        place = (waiting_head + waiting) & (events - 1)
        waiting_s[place], waiting_cold[place], waiting = now_s, is_cold, waiting + 1

    # Workers that are up count to the end.
    for worker in range(known):
        if started_s[worker] < np.inf:
            life_s += now_s - started_s[worker]
            rounded_s += billed_life_s(now_s - started_s[worker], minimum_s, rounding_s)
        if idle_since_s[worker] < np.inf:
            idle_s += now_s - idle_since_s[worker]
    for place in range(readying):
        setup_s += now_s - started_s[ready_worker[(ready_head + place) & (workers - 1)]]
    seconds = np.array([now_s, setup_s, idle_s, life_s, rounded_s, waited_s])
    return seconds, np.array([requests, starts, peak, cold, queued, cold_served])
