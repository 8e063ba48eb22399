"""What reaches the model: the engine's prompts, whole completions, images of the right size; all else is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from transformers import AutoTokenizer

from groundproof.models.base import Request
from groundproof.models.processing import load_processing
from groundproof.protocol import Task
from groundproof_training.errors import TrainingError
from groundproof_training.samples import Form, SampleImage
from groundproof_training.tuning.checkpoint import Checkpoint, open_checkpoint
from groundproof_training.tuning.left_out import LeftOut
from groundproof_training.tuning.pictures import Pictures
from groundproof_training.tuning.processor import TuningProcessor
from groundproof_training.tuning.rows import Rows
from groundproof_training.tuning.sft import IGNORE, Collator
from tests.training.tuning.small import KINDS, make_sample, small_settings, write_samples


def opened(models: dict[str, Path], kind: str, **changes: object) -> Checkpoint:
    return open_checkpoint(small_settings(kind, **changes), str(models[kind]))


def rows_of(path: Path, point: Checkpoint, left_out: LeftOut | None = None, form: Form | None = Form.GEO_COT,
            room: int = 0, **changes: object) -> Rows:  # fmt: skip
    data = small_settings(**changes).data
    return Rows(path, path.parent, point, data, form, left_out or LeftOut(), room)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_images", [1, 2])
@pytest.mark.parametrize("question", ["How many ships?", "What is <|user|> or <|image|><|image_pad|>?"])
def test_a_prompt_is_token_for_token_the_engines(
    models: dict[str, Path], kind: str, n_images: int, question: str
) -> None:
    point = opened(models, kind)
    step = point.profile.patch_merge_px
    rng = np.random.default_rng(0)
    pixels = [rng.integers(0, 255, (3 * step, 2 * step, 3), dtype=np.uint8) for _ in range(n_images)]
    asked = load_processing(models[kind], point.config).prepare(
        Request("r", tuple(pixels), "Be brief.", question)
    )
    images = [{"type": "image", "image": Image.fromarray(one)} for one in pixels]
    messages = [
        {"role": "system", "content": [{"type": "text", "text": "Be brief."}]},
        {"role": "user", "content": [*images, {"type": "text", "text": question}]},
    ]
    processor = TuningProcessor(point)
    made = processor.apply_chat_template(conversation=[messages], tokenize=True)
    assert made["input_ids"] == [asked.ids]
    assert made["mm_token_type_ids"] == [asked.image_mask]
    assert (made["pixel_values"] == asked.tensors["pixel_values"]).all()

    text = processor.apply_chat_template(messages, tokenize=False)
    again = processor(
        images=[[one["image"] for one in images]] * 2, text=[text] * 2, padding=True, return_tensors="pt"
    )
    assert again["input_ids"].tolist() == [asked.ids] * 2
    assert len(again["image_grid_thw"]) == 2 * n_images


@pytest.mark.parametrize("kind", KINDS)
def test_a_prompt_is_the_chat_template_with_an_image_token_per_cell(
    models: dict[str, Path], data: Path, kind: str
) -> None:
    point = opened(models, kind)
    collator = Collator(rows_of(data, point), point)
    row, images = Pictures(rows_of(data, point)).get(0)
    tokenizer = AutoTokenizer.from_pretrained(models[kind])
    content = [{"type": "image"}, {"type": "text", "text": row.prompt.text}]
    messages = [{"role": "user", "content": content}]
    if row.prompt.system:
        messages.insert(0, {"role": "system", "content": [{"type": "text", "text": row.prompt.system}]})
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    image = tokenizer.convert_ids_to_tokens(point.config.image_token_id)
    width, height = images[0].size
    cells = (width // point.profile.patch_merge_px) * (height // point.profile.patch_merge_px)
    expected = tokenizer(text.replace(image, image * cells), add_special_tokens=False)["input_ids"]
    assert collator.example(0).prompt.ids == expected


def test_the_loss_is_on_the_completion_alone(models: dict[str, Path], data: Path) -> None:
    point = opened(models, "glm4v")
    rows = rows_of(data, point)
    batch = Collator(rows, point)([{"row": 0}, {"row": 1}, {"row": 2}])
    for number, (ids, labels) in enumerate(zip(batch["input_ids"], batch["labels"], strict=True)):
        told = labels[labels != IGNORE]
        assert point.tokenizer.decode(told[:-1]) == rows[number].completion
        assert told[-1] == point.end_id
        first = int((labels != IGNORE).nonzero()[0])
        assert first == rows.lengths.prompt[number]
        assert (ids[labels != IGNORE] == told).all()
    assert (batch["mm_token_type_ids"].sum(1) == 9).all()  # 84 x 84 px are 3 x 3 cells


def test_two_images_are_two_runs_of_image_tokens(models: dict[str, Path], tmp_path: Path) -> None:
    point = opened(models, "glm4v")
    path = write_samples(tmp_path, [make_sample(tmp_path, 1, n_images=2)])
    batch = Collator(rows_of(path, point), point)([{"row": 0}])
    assert batch["image_grid_thw"].tolist() == [[1, 6, 6], [1, 6, 6]]
    assert int(batch["mm_token_type_ids"].sum()) == 18


def test_images_have_the_size_that_the_model_sees(models: dict[str, Path], tmp_path: Path) -> None:
    point = opened(models, "glm4v")
    path = write_samples(tmp_path, [make_sample(tmp_path, 1, side=300)])
    row, images = Pictures(rows_of(path, point)).get(0)
    assert images[0].size == row.seen[0] == (112, 112)


def test_what_cannot_be_trained_on_is_counted_and_named(models: dict[str, Path], tmp_path: Path) -> None:
    point = opened(models, "glm4v")
    good = make_sample(tmp_path, 1)
    samples = [
        good,
        good,
        make_sample(tmp_path, 2, rationale=None),
        make_sample(tmp_path, 3, images=(SampleImage(path="nowhere.png", width=84, height=84),)),
        make_sample(tmp_path, 4, question="x " * 900),
        make_sample(tmp_path, 5, answer="<|user|>"),
    ]
    path = write_samples(tmp_path, samples)
    path.write_text(path.read_text() + '{"sample_id": 3}\nnot json\n')
    left_out = LeftOut(tmp_path / "left-out.jsonl")
    rows = rows_of(path, point, left_out, data__max_tokens=600)
    assert [rows[k].sample.sample_id for k in range(len(rows))] == [good.sample_id]
    assert left_out.counted() == {
        "duplicate id": 1, "no rationale": 1, "no image": 1, "too long": 1, "cannot be written": 1, "broken line": 2,
    }  # fmt: skip
    assert any("squares-4" in line for line in left_out.problems.lines())


def test_a_long_sample_is_left_out_whole(models: dict[str, Path], data: Path) -> None:
    point = opened(models, "glm4v")
    every = rows_of(data, point)
    total = every.lengths.prompt + every.lengths.completion
    limit = int(np.median(total))
    kept = rows_of(data, point, data__max_tokens=limit)
    assert len(kept) == int((total <= limit).sum())
    with pytest.raises(TrainingError, match="too long"):
        rows_of(data, point, form=None, room=4000)


def test_a_broken_image_gives_way_to_the_next_sample(models: dict[str, Path], tmp_path: Path) -> None:
    point = opened(models, "glm4v")
    path = write_samples(tmp_path, [make_sample(tmp_path, number) for number in range(4)])
    (tmp_path / "images/1-0.png").write_bytes(b"\x89PNG and then nothing")
    content = (tmp_path / "images/2-0.png").read_bytes()
    (tmp_path / "images/2-0.png").write_bytes(content[: len(content) // 2])
    left_out = LeftOut(tmp_path / "left-out.jsonl")
    pictures = Pictures(rows_of(path, point, left_out))
    asked = [pictures.get(index)[0].sample.sample_id for index in (1, 1, 2, 0, 1)]
    assert asked == ["squares-3", "squares-3", "squares-3", "squares-0", "squares-3"]
    assert left_out.counted() == {"broken image": 2}


def test_when_every_image_is_broken_the_run_says_so(models: dict[str, Path], tmp_path: Path) -> None:
    point = opened(models, "glm4v")
    path = write_samples(tmp_path, [make_sample(tmp_path, number) for number in range(2)])
    for image in (tmp_path / "images").iterdir():
        image.write_bytes(b"no image")
    with pytest.raises(TrainingError, match="broken images"):
        Pictures(rows_of(path, point)).get(0)


def test_an_image_unlike_its_sample_is_broken(models: dict[str, Path], tmp_path: Path) -> None:
    point = opened(models, "glm4v")
    path = write_samples(tmp_path, [make_sample(tmp_path, number) for number in range(2)])
    Image.new("RGB", (50, 84)).save(tmp_path / "images/0-0.png")
    assert Pictures(rows_of(path, point)).get(0)[0].sample.sample_id == "squares-1"


def test_grpo_needs_no_rationale(models: dict[str, Path], tmp_path: Path) -> None:
    point = opened(models, "glm4v")
    path = write_samples(tmp_path, [make_sample(tmp_path, 1, rationale=None, task=Task.COUNT)])
    assert rows_of(path, point, form=None)[0].completion is None


def test_an_image_processor_that_would_resize_is_refused(models: dict[str, Path]) -> None:
    with pytest.raises(TrainingError, match="resize images once more"):
        opened(models, "glm4v", data__max_pixels=2_000_000)


def test_an_unknown_end_token_is_refused(models: dict[str, Path]) -> None:
    with pytest.raises(TrainingError, match="end_token"):
        opened(models, "glm4v", model__end_token="<|im_end|>")  # noqa: S106 - a token of text
