"""`groundproof-train evaluate`: what is printed, what is refused in one sentence, and the documented JSON."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import pytest

from groundproof_training import cli
from groundproof_training.evaluation.cases import Family
from groundproof_training.evaluation.prediction_files.evaluating import titles_of
from groundproof_training.evaluation.report.machine import number, plain

VQA = "[hr_rgb_0.5] <image>\\n Is there a road? Answer the question using a single word."


def answers(path: Path, right: int, of: int = 10, **more: Any) -> Path:
    rows = [
        {"question": f"{VQA} {n}", "answer": "yes" if n < right else "no", "annotation": "yes", **more}
        for n in range(of)
    ]
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def run(monkeypatch, capsys):
    def typed(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["groundproof-train", "evaluate", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return typed


def test_json_is_what_the_report_holds_in_both_modes(run, tmp_path):
    path = answers(tmp_path / "a.jsonl", 7)
    with path.open("a") as file:
        file.write(
            "{torn\n"
            + json.dumps({"question": "[refer] <image> x", "answer": "?", "gt_bbox": "[[1,2,3,4,0]]"})
        )
    words = ["--predictions", path, "--format", "earthdial", "--json", "--draws", 50, "-o", tmp_path / "out"]
    code, out, err = run(*words)
    assert code == 0
    assert out == (tmp_path / "out" / "report.json").read_text()
    made = json.loads(out)
    assert set(made) == {"title", "models", "entries", "configuration"}
    file = made["configuration"]["files"]["a.jsonl"]
    assert (made["configuration"]["format"], file["rows"], file["left_out"]) == ("earthdial", 12, 1)
    assert file["problems"] == {"broken line": 1, "unreadable answer": 1, "mixed tasks": 2}
    assert set(made["entries"]) == {"vqa", "detection"}
    vqa = made["entries"]["vqa"]["models"]["a.jsonl"]
    assert set(vqa) == {"n", "statuses", "strict", "evidence", "compat", "breakdowns"}
    assert vqa["n"] == 10
    assert vqa["statuses"] == {"ok": 10}
    accuracy = vqa["strict"]["accuracy"]
    assert set(accuracy) >= {"value", "low", "high", "n"}
    assert accuracy["value"] == pytest.approx(0.7)
    assert accuracy["low"] <= 0.7 <= accuracy["high"]
    assert all("note" in one for rule in vqa["compat"].values() for one in rule.values())
    assert made["entries"]["detection"]["models"]["a.jsonl"]["statuses"] == {"unreadable": 1}
    first = next(iter(made["entries"].values()))
    assert first["problems"] == {"broken line": 1, "unreadable answer": 1, "mixed tasks": 2, "warning": 1}
    assert first["examples"]["broken line"][0].startswith("a.jsonl:11: no JSON")
    assert "no row names its image" in first["examples"]["warning"][0]
    assert all(entry["compared"] == {} for entry in made["entries"].values())
    assert "a.jsonl:11" in err
    assert "2 kinds of questions" in err


def test_two_files_are_compared_on_the_questions_both_answer(run, tmp_path):
    one, two = answers(tmp_path / "x" / "a.jsonl", 10, of=40), answers(tmp_path / "y" / "a.jsonl", 40, of=40)
    code, out, _ = run(
        "--predictions", one, "--predictions", two, "--format", "earthdial", "--json", "--draws", 200
    )
    assert code == 0
    made = json.loads(out)
    assert made["models"] == ["x/a.jsonl", "y/a.jsonl"]
    vqa = made["entries"]["vqa"]
    assert [line.split(": ")[0] for line in vqa["examples"]["warning"]] == made["models"]
    difference = vqa["compared"]["x/a.jsonl vs y/a.jsonl"]["accuracy"]
    assert (difference["a"], difference["b"], difference["n"]) == (0.25, 1.0, 40)
    assert difference["low"] > 0
    assert difference["p"] < 0.05


def test_two_files_with_other_truths_for_a_question_are_told_of(run, tmp_path):
    rows = [
        {"image": "a", "question": f"How many ships {n}?", "answer": "2", "model_answer": "2"}
        for n in range(6)
    ]
    for name, true in (("a.jsonl", "2"), ("b.jsonl", "3")):
        rows[0] = {**rows[0], "question_id": 7, "answer": true}
        (tmp_path / name).write_text("\n".join(map(json.dumps, rows)))
    words = [
        "--predictions",
        tmp_path / "a.jsonl",
        "--predictions",
        tmp_path / "b.jsonl",
        "--format",
        "rs_tester",
    ]
    code, _, err = run(*words, "--draws", 0)
    assert code == 0
    assert "1 questions have another truth in the other file, 7 among them" in err


def test_a_table_has_both_kinds_of_numbers_apart(run, tmp_path):
    code, out, _ = run(
        "--predictions", answers(tmp_path / "a.jsonl", 7, vqa_type="presence"), "--format", "earthdial"
    )
    assert code == 0
    lines = out.splitlines()
    ours = next(n for n, line in enumerate(lines) if line.split()[:3:2] == ["accuracy", "70"])
    theirs = next(n for n, line in enumerate(lines) if "as earthdial computes it" in line)
    assert ours < theirs


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "nothing to measure; give --model M with --suite NAME"),
        (["--predictions", "a.jsonl"], "--predictions need --format, one of: rs_tester ("),
        (["--predictions", "a.jsonl", "--format", "coco"], "needs --truth FILE with COCO annotations"),
        (["--predictions", "gone", "--format", "earthdial"], "gone is not a file of predictions"),
        (["--predictions", "a.jsonl", "--format", "geochat"], "no row of a.jsonl holds what is true"),
        (["--predictions", "a.jsonl", "--format", "earthdial", "--model", "tiny"], "leave --model out"),
        (["--predictions", "a.jsonl", "--format", "earthdial", "--limit", "3"], "leave --limit out"),
        (["--predictions", "a.jsonl", "--format", "earthdial", "--family", "x"], "it is one of grounding, detection"),
        (["--predictions", "a.jsonl", "--predictions", "./a.jsonl", "--format", "earthdial"], "was given twice"),
        (["--model", "tiny", "--format", "coco"], "leave --format out"),
        (["--model", "baseline:none", "--suite", "local"], "needs --data DIR"),
        (["--model", "baseline:none", "--suite", "nosuch", "--data", "."], "geovlm-r1, all, local and bench-v1"),
        (["--model", "baseline:none", "--suite", "nosuch"], "there is no suite 'nosuch'"),
    ],
)  # fmt: skip
def test_what_is_asked_wrongly_is_one_sentence(run, tmp_path, monkeypatch, words, sentence):
    answers(tmp_path / "a.jsonl", 7)
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*words)
    assert code == 2
    assert out == ""
    error = err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    assert sentence in error


def test_names_of_files_have_as_many_folders_as_tell_them_apart(tmp_path):
    paths = [tmp_path / "a/x/p.jsonl", tmp_path / "b/x/p.jsonl"]
    assert titles_of(paths) == ["a/x/p.jsonl", "b/x/p.jsonl"]
    assert titles_of([tmp_path / "p.jsonl", tmp_path / "q.jsonl"]) == ["p.jsonl", "q.jsonl"]


def test_numbers_keep_their_digits_and_what_is_not_defined_is_null():
    assert number(1 / 3) == 1 / 3
    assert number(math.nan) is number(math.inf) is number(None) is None
    assert (
        json.dumps(plain({1: (math.nan, Path("a"), Family.VQA)}), allow_nan=False)
        == '{"1": [null, "a", "vqa"]}'
    )


def test_a_suite_without_a_model_s_data_says_so_entry_by_entry(run, tmp_path):
    code, out, _ = run(
        "--model", "baseline:none", "--suite", "local", "--data", tmp_path, "--limit", 1, "--json"
    )
    assert code == 0
    made = json.loads(out)
    statuses = {name: entry["status"] for name, entry in made["entries"].items()}
    assert "no data" in statuses.values()
    assert all(entry["reason"] for entry in made["entries"].values() if entry["status"] != "scored")


def test_the_published_file_gives_the_recorded_figures(run, data_dir):
    """METRICS.md, D6, to 1e-4."""
    file = data_dir / "predictions/earthdial/rs_detection/GeoChat.jsonl"
    code, out, _ = run("--predictions", file, "--format", "earthdial", "--json", "--draws", 0)
    assert code == 0
    found = json.loads(out)["entries"]["detection"]["models"]["GeoChat.jsonl"]
    strict = {
        name: found["strict"][name]["value"]
        for name in ("precision@0.5", "recall@0.5", "f1@0.5", "set-exact@0.5")
    }
    recorded = {"precision@0.5": 0.2635, "recall@0.5": 0.2484, "f1@0.5": 0.2557, "set-exact@0.5": 0.2664}
    assert strict == pytest.approx(recorded, abs=1e-4)
    theirs = found["compat"]["earthdial"]
    recorded = {"small": 0.1143, "medium": 0.3173, "large": 0.3907, "single": 0.3427, "multiple": 0.1341}
    assert {key: theirs[f"acc@0.5 {key}"]["value"] for key in recorded} == pytest.approx(recorded, abs=1e-4)
    assert all(one["note"] for one in theirs.values())
