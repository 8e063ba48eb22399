"""Sharing work out, and what a job makes of lost workers: all without Ray."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from groundproof.boxes import Tile, Window
from groundproof.errors import ModelError, UsageError
from groundproof.runners.ray_cluster import connected, share
from groundproof.runners.ray_ledger import MOST_ALONE, Ledger, Told
from groundproof.runners.shards import shards
from groundproof.runners.stages import Asked
from groundproof.tables import TileStatus

TILE = Told(Asked("s", "t", "a", Tile(0, Window(0, 0, 8, 8), 8, 8)), TileStatus.OK, None)


@given(st.lists(st.integers(0, 10**6), unique=True).map(sorted), st.integers(1, 50), st.integers(1, 64))
def test_every_batch_is_in_one_shard_and_in_order(batches: list[int], workers: int, most: int) -> None:
    made = shards(batches, workers, most)
    assert [batch for shard in made for batch in shard] == batches
    assert all(1 <= len(shard) <= most for shard in made)


@given(st.integers(1, 5000), st.integers(1, 50), st.integers(1, 64))
def test_every_worker_gets_some_and_none_waits_long_for_the_last(
    number: int, workers: int, most: int
) -> None:
    made = shards(range(number), workers, most)
    assert len(made) >= min(number, workers)
    free = [0] * workers  # greedy: whoever is free first takes the next
    for shard in made:
        free[free.index(min(free))] += len(shard)
    assert max(free) - min(free) <= max(1, max(free) // 2)
    assert max(free) <= -(-number // workers) + 1 + most * (number > workers * most)


@given(
    st.lists(st.tuples(st.integers(1, 64), st.integers(0, 8)), min_size=1, max_size=8),
    st.none() | st.integers(1, 12),
    st.booleans(),
)
def test_workers_find_room(machines: list[tuple[int, int]], workers: int | None, in_process: bool) -> None:
    nodes = [{"CPU": cpus, "GPU": gpus} for cpus, gpus in machines]
    given = share(nodes, workers, in_process=in_process, gpus=None)
    room = sum(
        min(cpus // given.cpus, int(gpus // given.gpus)) if given.gpus else cpus // given.cpus
        for cpus, gpus in machines
    )
    wanted = given.workers if workers is None else min(workers, sum(cpus for cpus, _ in machines))
    if given.gpus:
        wanted = min(wanted, sum(min(cpus, gpus) for cpus, gpus in machines))
    assert room >= wanted
    assert given.workers == workers or workers is None
    assert (given.gpus > 0) == (in_process and any(gpus for _, gpus in machines))


def test_a_batch_that_takes_worker_after_worker_is_given_up_with_their_last_words() -> None:
    ledger = Ledger(2)
    assert not ledger.begin(0, [4, 5, 6]).again
    ledger.kept(4, [TILE], answered=True)
    for lost in range(MOST_ALONE):  # the first over all of the shard, the others over batch 5
        orders = ledger.begin(0, [4, 5, 6])
        assert (orders.again, orders.kept, orders.given_up) == (True, {4}, {}), lost
        ledger.hold(0, 5)
        ledger.dying(0, "out of memory")
    orders = ledger.begin(0, [4, 5, 6])
    assert orders.given_up == {5: "3 workers died over this batch (the last one said: out of memory)"}
    assert orders.stop is None
    assert ledger.begin(1, [7, 8]).given_up == {}


def test_a_batch_that_is_answered_at_last_is_no_suspect_any_more() -> None:
    ledger = Ledger(1)
    ledger.begin(0, [1])
    for _ in range(MOST_ALONE):
        ledger.begin(0, [1])
        ledger.hold(0, 1)
    ledger.kept(1, [TILE], answered=True)
    assert ledger.begin(0, [1]).given_up == {}


def test_workers_that_die_without_answering_anything_end_the_job() -> None:
    ledger = Ledger(1)
    ledger.opening("a")
    ledger.opened("a")
    stops = []
    for _ in range(7):
        stops.append(ledger.begin(0, [1, 2]).stop)
        ledger.dying(0, "the server is gone")
    assert [stop is None for stop in stops] == [True] * 6 + [False]
    kind, sentence = ledger.error() or ("", "")
    assert kind == "ModelError"
    assert "6 workers died one after the other" in sentence
    assert "the server is gone" in sentence


def test_workers_that_are_killed_while_they_load_end_the_job_too() -> None:
    ledger = Ledger(1)
    said = [ledger.opening("a") for _ in range(8)]
    assert said[:6] == [None] * 6
    assert "memory" in str(said[6])


def test_between_answers_any_number_of_workers_may_be_lost() -> None:
    ledger = Ledger(1)
    ledger.begin(0, range(100))
    for batch in range(100):
        ledger.begin(0, range(100))
        ledger.kept(batch, [TILE], answered=True)
    assert ledger.error() is None
    assert len(ledger.tell()) == 100
    assert ledger.tell() == []


def test_a_batch_kept_twice_is_told_once() -> None:
    ledger = Ledger(1)
    ledger.begin(0, [1])
    ledger.kept(1, [TILE], answered=True)
    ledger.kept(1, [TILE], answered=True)
    assert ledger.tell() == [TILE]


def test_a_model_that_opens_nowhere_is_not_tried_again_and_one_that_did_is() -> None:
    ledger = Ledger(2)
    ledger.opening("a")
    assert ledger.cannot_open("a", "no weights") is None
    ledger.opening("b")
    ledger.opened("b")
    ledger.opening("a")
    assert ledger.cannot_open("a", "device busy") is not None


def test_without_ray_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ModelError, match=r"pip install 'groundproof\[ray\]'"), connected(None, 1):
        pass


def test_the_cluster_configuration_of_the_docs_is_one_to_ray() -> None:
    page = (Path(__file__).parents[2] / "docs" / "batch-cluster.md").read_text(encoding="utf-8")
    configuration = yaml.safe_load(page.split("```yaml\n")[1].split("```")[0])
    schema = files("ray.autoscaler") / "ray-schema.json"
    jsonschema.validate(configuration, json.loads(schema.read_text(encoding="utf-8")))
    assert configuration["head_node_type"] in configuration["available_node_types"]


def test_a_ray_client_address_is_refused_with_what_to_give_instead() -> None:
    with pytest.raises(UsageError, match="ray job submit"), connected("ray://head:10001", None):
        pass


def test_the_engine_and_its_command_line_do_not_need_ray() -> None:
    code = (
        "import sys, groundproof, groundproof.cli, groundproof.runners.ray_data; print('ray' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
