"""The clock of a run, on a time that the test turns by hand."""

import pytest

from groundproof_training import pace
from groundproof_training.pace import Clock, Pace


@pytest.fixture
def time(monkeypatch):
    """`time.now` is the time in seconds."""

    class Time:
        now = 100.0

        def monotonic(self):
            return self.now

    time = Time()
    monkeypatch.setattr(pace, "time", time)
    return time


def test_minutes_end_a_run_of_many_steps(time):
    clock = Clock(minutes=10, max_steps=1_000_000)
    assert clock.left_s == 600
    time.now += 60
    clock.step = 30
    assert (clock.progress, clock.left_s) == (0.1, 540)
    time.now += 600
    assert (clock.progress, clock.left_s) == (1, 0)


def test_steps_end_a_run_of_many_minutes(time):
    clock = Clock(minutes=45, max_steps=20)
    time.now += 8
    clock.step = 16
    assert (clock.progress, clock.left_s) == (0.8, 2)
    clock.step = 20
    assert (clock.progress, clock.left_s) == (1, 0)


def test_a_run_that_goes_on_counts_what_was_spent_but_its_own_speed(time):
    clock = Clock(minutes=10, max_steps=40, step=10, spent_s=300)
    assert (clock.spent_s, clock.progress, clock.left_s) == (300, 0.5, 300)
    time.now += 10
    clock.step = 20
    assert (clock.spent_s, clock.left_s) == (310, 20)


def test_the_line_of_the_last_step_has_no_time_left(time):
    run = Pace(minutes=45, max_steps=2, checkpoint_s=60)
    time.now += 1
    assert run.stepped(4, {"loss": 3.0}, 0.5) is None
    assert not run.save_due()
    time.now += 1
    assert run.stepped(4, {"loss": 1.0}, 0.5) == "step 2 4.0 samples/s lr x0.50 0 s left: loss 2.000"
    assert run.save_due()
    assert not run.going
