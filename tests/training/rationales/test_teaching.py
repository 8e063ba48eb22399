"""Rationales by a teacher, against a real server in this process: what is accepted, retried, replaced, counted."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from groundproof.models.base import Piece
from groundproof.models.profiles import get_profile
from groundproof.protocol import Task
from groundproof_training.errors import TrainingError
from groundproof_training.rationales import Verifier, Vocabulary
from groundproof_training.rationales.examples import EXAMPLES
from groundproof_training.rationales.ledger import Attempt, Entry, Ledger, key_of
from groundproof_training.rationales.running import Wanted, run
from groundproof_training.rationales.teachers import EngineTeacher
from groundproof_training.samples import EvidenceLine, Form, Rationale, Sample, completion_of, seen_size
from groundproof_training.samples.storage import read_samples, write_samples

from .made import SHIPS, sample
from .serving import TeacherServer

GOOD = (
    "<think><plan>Search the water for wakes and hulls.</plan><evidence>E1 ship with a wake, upper left {0}. "
    "E2 ship at the quay, lower right {1}. </evidence><synthesis>E1 and E2 are ships, 2 in all.</synthesis></think>"
    "<answer>2</answer>"
)


def boxes_of(text: str) -> list[str]:
    """The true boxes as the prompt gives them."""
    return re.findall(r"- ship (\[[\d,]+\])", text)


def good(text: str, _: int = 0) -> str:
    return GOOD.format(*boxes_of(text))


def asked(n: int) -> list[Sample]:
    return [sample(sample_id=f"s{k}", question=f"How many ships are in part {k}?") for k in range(n)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 255, (1000, 1000, 3), dtype=np.uint8)).save(tmp_path / "a.png")
    return tmp_path


@pytest.fixture
def serve():
    opened = []

    def start(answer) -> TeacherServer:
        opened.append(TeacherServer(answer))
        return opened[-1]

    yield start
    for server in opened:
        server.close()


def teach(folder: Path, samples: list[Sample], url: str, **settings):
    write_samples(folder / "in.jsonl", samples)
    settings.setdefault("max_pixels", 20_000)  # small pictures are quick to send
    more = {k: settings.pop(k) for k in ("timeout_s", "report", "limit", "profile") if k in settings}
    wanted = Wanted(
        samples=folder / "in.jsonl", out=folder / "out.jsonl", teacher=url, settings=settings, **more
    )
    lines = run(wanted, lambda _: None)
    statistics = json.loads((folder / "out.jsonl.statistics.json").read_text())
    return list(read_samples(folder / "out.jsonl")), statistics, lines


def test_what_a_teacher_writes_well_is_kept_in_order(folder, serve):
    server = serve(lambda text, _: time.sleep(0.2) or good(text))
    made, statistics, lines = teach(
        folder, asked(5), server.url, concurrency=3, input_price=2.0, output_price=10.0
    )
    assert [one.sample_id for one in made] == [f"s{k}" for k in range(5)]
    assert {one.rationale.by for one in made} == {"teacher:teacher-9"}
    assert made[0].rationale.evidence[0].text == "ship with a wake, upper left"
    assert statistics["samples"] == {"teacher": 5}
    assert statistics["accepted_at_attempt"] == {"1": 5}
    assert (statistics["input_tokens"], statistics["output_tokens"]) == (5000, 500)
    assert statistics["cost"] == pytest.approx(5 * (1000 * 2 + 100 * 10) / 1e6)
    assert 1 < server.most_at_once <= 3
    assert "5 texts of the teacher, 5 accepted (100%)" in lines


def test_the_teacher_is_given_image_boxes_answer_and_example_and_not_the_whole_folder(folder, serve):
    server = serve(good)
    teach(folder, asked(1), server.url)
    (request,) = server.requests
    system, user = request["body"]["messages"]
    image, text = user["content"]
    assert image["image_url"]["url"].startswith("data:image/jpeg;base64,")
    assert "[100,100,200,140]" in text["text"]
    assert "Answer: 2" in text["text"]
    assert "E1 airplane on the northern apron" in text["text"]
    assert "<evidence>" in system["content"]
    assert str(folder) not in json.dumps(request["body"])


def test_a_rejected_text_is_written_again_with_the_reasons(folder, serve):
    def first_wrong(text: str, before: int) -> str:
        return (
            good(text) if before else good(text).replace("2 in all", "3 in all").replace(", upper left", "")
        )

    server = serve(first_wrong)
    made, statistics, _ = teach(folder, asked(1), server.url)
    assert made[0].rationale.by == "teacher:teacher-9"
    assert statistics["accepted_at_attempt"] == {"2": 1}
    assert statistics["rejected_by"] == {"wrong number": 1}
    assert "The synthesis counts 3 ships; there are 2." in server.requests[1]["text"]
    assert "3 in all" in server.requests[1]["text"]


@pytest.mark.parametrize("fallback", ["template", "drop"])
def test_nonsense_never_gets_into_the_data(folder, serve, fallback):
    server = serve(lambda *_: "As a language model I see two nice ships.")
    made, statistics, lines = teach(folder, asked(2), server.url, attempts=2, fallback=fallback)
    assert len(server.requests) == 4
    assert statistics["rejected_by"] == {"format": 4}
    if fallback == "template":
        assert [one.rationale.by for one in made] == ["template", "template"]
    else:
        assert made == []
        assert statistics["problems"] == {"no rationale": 2}
        assert any("no text of the teacher was accepted" in line for line in lines)


def test_a_teacher_that_is_silent_or_broken_once_is_counted_and_asked_again(folder, serve):
    faults = {0: 3.0, 1: (500, "overloaded"), 2: (200, None)}
    server = serve(lambda text, before: faults.get(before) or good(text))
    made, statistics, _ = teach(folder, asked(1), server.url, timeout_s=0.5, attempts=4)
    assert made[0].rationale.by == "teacher:teacher-9"
    assert statistics["errors"] == {"timeout": 1, "no answer": 1, "broken answer": 1}
    assert statistics["accepted_at_attempt"] == {"4": 1}


def test_what_was_not_answered_is_asked_in_the_next_run_and_what_was_accepted_is_not(folder, serve):
    down = serve(lambda text, _: (503, "starting") if "part 1" in text else good(text))
    made, statistics, _ = teach(folder, asked(3), down.url, attempts=1)
    assert [one.rationale.by for one in made] == ["teacher:teacher-9", "template", "teacher:teacher-9"]
    up = serve(good)
    made, statistics, _ = teach(folder, asked(3), up.url, attempts=1)
    assert {one.rationale.by for one in made} == {"teacher:teacher-9"}
    assert (len(up.requests), statistics["reused"]) == (1, 2)


def test_a_teacher_that_refuses_the_key_stops_the_run_in_a_sentence(folder, serve):
    server = serve(lambda *_: (401, "no such key"))
    with pytest.raises(TrainingError, match=r"cannot be asked.*key.*run the command again"):
        teach(folder, asked(40), server.url, concurrency=2)
    assert len(server.requests) <= 4


def test_a_teacher_that_never_answers_stops_the_run_in_the_end(folder, serve):
    server = serve(lambda *_: (500, "down"))
    with pytest.raises(TrainingError, match="cannot be asked"):
        teach(folder, asked(100), server.url, concurrency=4, attempts=1)
    assert 50 <= len(server.requests) < 60


def test_a_sample_whose_image_is_broken_is_left_out_and_named(folder, serve):
    (folder / "broken.png").write_bytes((folder / "a.png").read_bytes()[:2000])
    image = sample().images[0].model_copy(update={"path": "broken.png"})
    bad = sample(sample_id="bad", images=(image,))
    made, statistics, _ = teach(folder, [*asked(2), bad], serve(good).url)
    assert [one.sample_id for one in made] == ["s0", "s1"]
    assert statistics["problems"] == {"broken sample": 1}


def test_samples_with_many_boxes_go_to_the_templates(folder, serve):
    server = serve(good)
    made, _, _ = teach(folder, asked(1), server.url, most_boxes=1)
    assert (made[0].rationale.by, server.requests) == ("template", [])


def test_data_that_contradicts_itself_gets_no_rationale_and_is_named(folder):
    made, statistics, _ = teach(folder, [sample(answer="7"), sample(sample_id="s2")], "template")
    assert [one.sample_id for one in made] == ["s2"]
    assert statistics["problems"] == {"no evidence": 1}


def test_the_report_shows_boxes_sentences_and_reasons_and_needs_nothing_else(folder, serve):
    server = serve(lambda text, before: good(text) if before else "<b>nonsense</b>")
    teach(folder, asked(1), server.url, report=folder / "report.html")
    page = (folder / "report.html").read_text()
    assert page.count("<rect ") == 2
    assert 'data-box="b0-0">E1</span> ship with a wake' in page
    assert "&lt;b&gt;nonsense" in page
    assert "<b>nonsense" not in page
    assert not re.search(r"(?:src|href)=\"(?!data:)", page)


def test_a_key_is_of_the_content(folder):
    of = sample()
    key = key_of(of, "t", "p")
    assert key == key_of(of.model_copy(update={"sample_id": "other", "split": "val"}), "t", "p")
    for changed in (of.model_copy(update={"answer": "3"}), of.model_copy(update={"boxes": SHIPS[:1]})):
        assert key_of(changed, "t", "p") != key
    assert key_of(of, "u", "p") != key
    hashed = [
        sample(images=(of.images[0].model_copy(update={"path": p, "sha256": "0"}),)) for p in ("a", "b")
    ]
    assert key_of(hashed[0], "t", "p") == key_of(hashed[1], "t", "p")


def test_a_line_that_was_cut_short_costs_one_sample(tmp_path):
    entries = [
        Entry(key=f"k{n}", sample_id=f"s{n}", outcome="rejected", attempts=(Attempt(text="x"),))
        for n in range(3)
    ]
    with Ledger(tmp_path) as ledger:
        for entry in entries:
            ledger.keep(entry)
    part = tmp_path / "000001.jsonl"
    part.write_bytes(part.read_bytes()[:-20])
    with Ledger(tmp_path) as ledger:
        assert [ledger.find(f"k{n}") for n in range(3)] == [*entries[:2], None]
        assert ledger.broken == 1
        ledger.keep(entries[2])
        assert ledger.find("k2") == entries[2]


def test_a_run_that_is_killed_goes_on_where_it_was(folder, serve):
    slow = serve(lambda text, _: time.sleep(0.15) or good(text))
    write_samples(folder / "in.jsonl", asked(12))
    command = [sys.executable, "-m", "groundproof_training.cli", "rationales", "in.jsonl", "-o", "out.jsonl",
               "--teacher", slow.url, "--concurrency", "2"]  # fmt: skip
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while len(slow.requests) < 6 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (folder / "out.jsonl").exists()
    kept = sum(len(part.read_bytes().splitlines()) for part in (folder / "out.jsonl.answers").glob("*.jsonl"))
    assert 3 <= kept < 12
    quick = serve(good)
    made, statistics, _ = teach(folder, asked(12), quick.url)
    assert len(made) == 12
    assert {one.rationale.by for one in made} == {"teacher:teacher-9"}
    assert len(quick.requests) == 12 - kept
    assert statistics["reused"] == kept


class InProcess:
    """An adapter of the engine, as `EngineTeacher` sees one."""

    profile = get_profile("qwen2.5-vl")
    continuous = True
    identity = "made"
    closed = False

    def generate(self, requests):
        for request in requests:
            assert request.images[0].shape[0] % 28 == 0
            words = good(request.text)
            for k in range(0, len(words), 9):
                yield Piece(request.request_id, words[k : k + 9])
            yield Piece(request.request_id, "", finish="stop")

    def close(self):
        self.closed = True


def test_a_model_in_this_process_writes_in_its_own_notation(folder):
    model = InProcess()
    write_samples(folder / "in.jsonl", asked(2))
    wanted = Wanted(samples=folder / "in.jsonl", out=folder / "out.jsonl", settings={"concurrency": 2})
    run(wanted, lambda _: None, EngineTeacher(model, "made", 500, 2))
    made = list(read_samples(folder / "out.jsonl"))
    assert [one.rationale.by for one in made] == ["teacher:made"] * 2
    assert model.closed


@pytest.mark.parametrize("task", list(Task))
@pytest.mark.parametrize("name", ["rsthinker", "qwen2.5-vl", "geochat"])
def test_every_worked_example_is_accepted(task, name):
    of = EXAMPLES[task].sample
    profile = get_profile(name)
    seen = tuple(seen_size(image.shown_size, profile, 3136, 1_003_520) for image in of.images)
    words = Vocabulary(frozenset({"airplane", "tennis court", "ship", "storage tank", "vehicle", "bridge"}))
    text = completion_of(of, profile, seen, Form.GEO_COT)
    assert Verifier(profile, words).verify(text, of, seen, "example").reasons == ()


def test_a_full_disk_stops_the_run_in_a_sentence_and_keeps_what_was_there(folder, serve, monkeypatch):
    server = serve(good)
    synced = os.fsync
    left = [3]

    def full(descriptor: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        synced(descriptor)

    monkeypatch.setattr("groundproof_training.rationales.ledger.os.fsync", full)
    with pytest.raises(TrainingError, match=r"No space left on device.*run the command again"):
        teach(folder, asked(8), server.url, concurrency=1)
    monkeypatch.undo()
    before = len(server.requests)
    made, statistics, _ = teach(folder, asked(8), server.url, concurrency=1)
    assert len(made) == 8
    assert statistics["reused"] >= 3
    assert len(server.requests) - before == 8 - statistics["reused"]


def test_rationales_that_samples_bring_along_are_verified_too(folder):
    good_one = EvidenceLine(text="ship, upper left", box=0), EvidenceLine(text="ship, lower right", box=1)
    true = Rationale(
        plan="Look for ships.", evidence=good_one, synthesis="E1 and E2 are ships.", by="template"
    )
    untrue = true.model_copy(update={"synthesis": "E1 and E2 are two of several ships."})
    brought = [sample(sample_id="true", rationale=true), sample(sample_id="untrue", rationale=untrue)]
    made, statistics, lines = teach(folder, brought, "template")
    assert [(one.sample_id, one.rationale == true) for one in made] == [("true", True), ("untrue", False)]
    assert statistics["samples"] == {"kept": 1, "template": 1}
    assert statistics["problems"] == {"rationale rejected": 1}
    assert any("several ships" in line for line in lines)
    made, statistics, _ = teach(folder, brought, "template", fallback="drop")
    assert [one.sample_id for one in made] == ["true"]
    assert statistics["samples"] == {"kept": 1, "dropped": 1}


def test_an_accepted_answer_is_verified_again_before_it_is_used_again(folder, serve):
    server = serve(good)
    made, _, _ = teach(folder, asked(2), server.url)
    assert len(made) == 2
    (ledger,) = (folder / "out.jsonl.answers").glob("*.jsonl")
    ledger.write_text(
        ledger.read_text().replace("E1 and E2 are ships, 2 in all.", "Dozens of ships lie here.", 1)
    )
    before = len(server.requests)
    made, statistics, _ = teach(folder, asked(2), server.url)
    assert len(server.requests) == before + 1
    assert statistics["reused"] == 1
    assert {one.rationale.synthesis for one in made} == {"E1 and E2 are ships, 2 in all."}
