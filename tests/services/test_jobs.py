"""Jobs: they go on by themselves, end when asked, and are looked at less often the more people watch."""

import threading

import pytest

from llmcompare.errors import StoreError
from llmcompare.services.jobs import ENDED_KEPT, POLL_S, POLLS_PER_S, Jobs


@pytest.fixture
def jobs():
    return Jobs()


def wait_for_stop(job):
    job.stopping.wait(30)


def test_a_job_runs_until_its_work_is_done(jobs):
    began, finish = threading.Event(), threading.Event()

    def work(job):
        began.set()
        finish.wait(30)

    job = jobs.start("work", work)
    assert began.wait(30)
    assert job.state == "running"
    finish.set()
    assert job.ended.wait(30)
    assert job.state == "done"
    assert jobs.get(job.job_id) is job


def test_a_job_that_is_asked_to_stop_has_stopped_when_it_ended(jobs):
    job = jobs.start("work", wait_for_stop)
    job.stop()
    assert job.ended.wait(30)
    assert job.state == "stopped"


def test_what_is_raised_on_purpose_is_a_sentence_and_a_bug_keeps_its_traceback(jobs):
    def refuse(job):
        raise StoreError("the disk is full.")

    def fail(job):
        raise KeyError("a bug")

    refused, buggy = jobs.start("refuse", refuse), jobs.start("fail", fail)
    assert refused.ended.wait(30)
    assert buggy.ended.wait(30)
    assert (refused.state, refused.error, refused.bug) == ("failed", "the disk is full.", None)
    assert buggy.state == "failed"
    assert buggy.bug.__traceback__ is not None


def test_the_same_work_is_not_begun_twice_while_it_runs(jobs):
    first = jobs.start("work", wait_for_stop, job_id="one")
    assert jobs.start("work", wait_for_stop, job_id="one") is first
    first.stop()
    assert first.ended.wait(30)
    second = jobs.start("work", wait_for_stop, job_id="one")
    assert second is not first
    second.stop()


def test_ids_have_128_bits_and_differ(jobs):
    ids = {jobs.start("work", lambda job: None).job_id for _ in range(100)}
    assert len(ids) == 100
    # 22 characters of 6 bits each hold 128.
    assert min(map(len, ids)) == 22


def test_the_more_people_watch_anything_the_less_often_each_looks(jobs):
    job, other = jobs.start("one", wait_for_stop), jobs.start("two", wait_for_stop)
    assert jobs.poll_s(job, "a") == POLL_S
    for watcher in range(40):
        jobs.poll_s(other, f"watcher {watcher}")
    assert jobs.poll_s(job, "a") == 41 / POLLS_PER_S
    other.stop()
    assert other.ended.wait(30)
    assert jobs.poll_s(job, "a") == POLL_S
    job.stop()


def test_jobs_that_ended_long_ago_are_forgotten_and_those_that_run_are_not(jobs):
    running = jobs.start("running", wait_for_stop)
    first = jobs.start("first", lambda job: None)
    assert first.ended.wait(30)
    for _ in range(ENDED_KEPT + 5):
        assert jobs.start("more", lambda job: None).ended.wait(30)
    assert jobs.get(first.job_id) is None
    assert jobs.get(running.job_id) is running
    running.stop()
