"""What readers of texts share."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from groundproof_training.errors import TrainingError
from groundproof_training.readers import sources
from groundproof_training.readers.base import Options, Problems
from groundproof_training.readers.scene_folders import SceneOptions
from groundproof_training.readers.sources import Images, json_lines, json_list, options_of, share

value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
record = st.dictionaries(st.text(max_size=5), value, max_size=4)


@settings(max_examples=40)
@given(st.lists(record, max_size=8), st.integers(1, 40), st.sampled_from([None, 1]))
def test_a_list_read_piece_by_piece_is_the_list(tmp_path_factory, things, chunk, indent):
    file = tmp_path_factory.mktemp("list") / "list.json"
    file.write_text(json.dumps(things, indent=indent, ensure_ascii=False), encoding="utf-8")
    problems = Problems()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "_CHUNK", chunk)
        assert list(json_list(file, problems)) == list(enumerate(things))
    assert not problems.counts


@pytest.mark.parametrize(
    ("text", "read", "said"),
    [
        ('[{"a": 1}, {"a": 2}, {"a"', 2, "no JSON from here on"),
        ('[{"a": 1}, {"a": 2}', 2, "the list has no end"),
        ('[{"a": 1}, nonsense, {"a": 2}]', 1, "no JSON from here on"),
        ('[{"a": 1}, 7, null, {"a": 2}]', 2, "not an object"),
        ('{"a": 1}', 0, "not a JSON list"),
        ("", 0, "not a JSON list"),
    ],
)
def test_a_broken_list_yields_what_came_before_and_says_so(tmp_path, text, read, said):
    (tmp_path / "list.json").write_text(text)
    problems = Problems()
    assert len(list(json_list(tmp_path / "list.json", problems))) == read
    assert said in " ".join(problems.lines())


def test_broken_lines_are_counted_and_the_others_read(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"a": 1}\nno\n\n[1]\n{"a": 2}\n')
    problems = Problems()
    assert [n for n, _ in json_lines(tmp_path / "x.jsonl", problems)] == [1, 5]
    assert problems.counts["broken label"] == 2


def test_an_image_is_looked_at_once_and_every_sample_without_it_counted(tmp_path):
    Image.new("RGB", (7, 5)).save(tmp_path / "a.png")
    problems = Problems()
    images = Images(tmp_path, Options(), problems)
    assert images.get("a.png", "1") is images.get("a.png", "2")
    assert images.one_of(("b.png", "a.png"), "3").width == 7
    for n in range(3):
        assert images.get("gone.png", str(n)) is None
    assert problems.counts == {"no image": 1, "sample without its image": 3}


def test_a_path_that_leads_out_of_the_folder_is_not_followed(tmp_path):
    (tmp_path / "set").mkdir()
    Image.new("RGB", (7, 5)).save(tmp_path / "secret.png")
    problems = Problems()
    images = Images(tmp_path / "set", Options(), problems)
    for path in ("../secret.png", str(tmp_path / "secret.png"), "a/../../secret.png"):
        assert images.get(path, "label") is None
        assert images.one_of((path,), "label") is None
    assert problems.counts == {"path outside": 3, "sample without its image": 6}


@given(st.integers(0, 5), st.text(min_size=1, max_size=9))
def test_a_share_is_the_same_every_time(seed, name):
    assert 0 <= share(seed, name) < 1
    assert share(seed, name) == share(seed, name)


def test_shares_are_even():
    drawn = [share(0, f"file {n}") for n in range(4000)]
    assert sum(d < 0.8 for d in drawn) == pytest.approx(3200, abs=100)


class OtherOptions(Options):
    """Without the shares of scene sets."""


def test_options_of_another_reader_are_refused():
    assert options_of(SceneOptions, Options(seed=3)).seed == 3
    with pytest.raises(TrainingError, match="options"):
        options_of(OtherOptions, SceneOptions())


def test_a_mark_at_the_start_and_bytes_of_another_encoding_cost_no_other_record(tmp_path):
    rows = ['{"a": 1}', '{"a": "caf\u00e9"}', '{"a": 3}']
    for name, text in (("list.json", f"[{', '.join(rows)}]"), ("lines.jsonl", "\n".join(rows))):
        for encoding, expected in (("utf-8-sig", [1, "caf\u00e9", 3]), ("latin-1", [1, 3])):
            problems = Problems()
            (tmp_path / name).write_bytes(text.encode(encoding))
            assert [row["a"] for _, row in sources.records(tmp_path / name, problems)] == expected
            assert problems.counts == ({} if len(expected) == 3 else {"broken label": 1})
