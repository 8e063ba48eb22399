"""Lines of progress against a clock that the test moves."""

import pytest

from groundproof_training.progress import Progress, duration


def test_lines_come_at_most_so_often_and_say_what_is_left():
    now, said = [0.0], []
    progress = Progress(said.append, "files", total=1_000, every_s=10, clock=lambda: now[0])
    for second in range(1, 26):
        now[0] = float(second)
        progress.step(4)
    assert said == [
        "40 of 1,000 files, 4.0 a second, 4 min left",
        "80 of 1,000 files, 4.0 a second, 4 min left",
    ]


def test_without_a_total_nothing_is_said_of_the_rest():
    now, said = [0.0], []
    progress = Progress(said.append, "samples", clock=lambda: now[0])
    now[0] = 20.0
    progress.step(10, ", 3 accepted")
    assert said == ["10 samples, 0.5 a second, 3 accepted"]


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (89, "89 s"), (90, "2 min"), (11_100, "3 h 05 min")]
)
def test_durations_are_for_people(seconds, said):
    assert duration(seconds) == said
