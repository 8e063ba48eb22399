"""Tasks, prompts and the canonical text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundproof.boxes import BoxFrame, ModelBox
from groundproof.errors import UsageError
from groundproof.models.profiles import Profile
from groundproof.protocol import (
    PROMPT_VERSION,
    Finding,
    Task,
    count_synthesis,
    count_trace,
    detect_answer,
    format_box,
    format_trace,
    infer_task,
    is_existence,
    place_words,
    quantise_per_mille,
    render,
    render_second_look,
    target_labels,
)
from groundproof.trace import parse


def profile(style: str = "native", frame: BoxFrame = BoxFrame.PER_MILLE) -> Profile:
    return Profile(
        name="test", title="a test", licence="-", source="-", prompt_style=style, frame=frame,
        patch_merge_px=28, tile_px=224, overlap_px=28,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("question", "task", "labels"),
    [
        ("How many airplanes are there?", Task.COUNT, ("airplane",)),
        ("How many storage tanks are in the harbour?", Task.COUNT, ("storage tank",)),
        ("How many red cars and trucks are parked near the terminal?", Task.COUNT, ("car", "truck")),
        ("What is the number of aircraft on the apron?", Task.COUNT, ("airplane",)),
        ("Count the tree crowns", Task.COUNT, ("tree",)),
        ("Find all ships and count them", Task.COUNT, ("ship",)),
        ("How many objects are visible?", Task.COUNT, ()),
        ("How many people are there in the image?", Task.COUNT, ("person",)),
        ("Wie viele Schiffe sind im Hafen?", Task.COUNT, ("ship",)),
        ("Combien d'avions y a-t-il ?", Task.COUNT, ()),
        ("Wie viele Zorbse gibt es?", Task.COUNT, ()),
        ("Detect all vehicles.", Task.DETECT, ("vehicle",)),
        ("Find airplanes", Task.DETECT, ("airplane",)),
        ("Where are the storage tanks?", Task.DETECT, ("storage tank",)),
        ("Show me all swimming pools", Task.DETECT, ("swimming pool",)),
        ("Where is the largest ship?", Task.GROUND, ("ship",)),
        ("Locate the white plane next to the hangar.", Task.GROUND, ("airplane",)),
        ("the ship at the top left", Task.GROUND, ()),
        (
            "[refer] give me the location of <p>2 a220 airplanes at the bottom left</p>",
            Task.GROUND,
            ("a220 airplane",),
        ),
        ("Are there any planes or ships?", Task.VQA, ("airplane", "ship")),
        ("Is there a ship in the image?", Task.VQA, ("ship",)),
        ("Does the image contain any oil tanks?", Task.VQA, ("storage tank",)),
        ("Can you see any cars in this picture?", Task.VQA, ("car",)),
        ("Are ships visible in the image?", Task.VQA, ("ship",)),
        ("Is the runway free of snow?", Task.VQA, ()),
        ("Is it a rural or an urban area?", Task.VQA, ()),
        ("What type of scene is this?", Task.CLASSIFY, ()),
        ("Classify the land use.", Task.CLASSIFY, ()),
        ("Describe the image.", Task.CAPTION, ()),
        ("What does this image show?", Task.CAPTION, ()),
        ("Describe the region [10,20,30,40].", Task.REGION_CAPTION, ()),
        ("Describe the scene and locate every object with boxes", Task.GROUNDED_CAPTION, ()),
    ],
)
def test_a_question_tells_its_task_and_its_objects(
    question: str, task: Task, labels: tuple[str, ...]
) -> None:
    guess = infer_task(question)
    assert guess.task is task
    assert guess.reason
    if labels or task is Task.COUNT:
        found = target_labels(question)
        assert found == labels or (not labels and len(found) <= 1)
    else:
        assert target_labels(question, task) in ((), target_labels(question))


def test_several_images_ask_for_change_unless_a_class_is_asked() -> None:
    assert infer_task("What is new?", n_images=2).task is Task.CHANGE
    assert infer_task("What is the land use?", n_images=3).task is Task.CLASSIFY
    assert "2 images" in infer_task("What is new?", n_images=2).reason


def test_the_reason_quotes_the_words_that_decided() -> None:
    assert infer_task("How many ships?").reason == 'it asks "how many"'


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300), st.integers(1, 4))
def test_any_question_gets_a_task_or_a_sentence(question: str, n_images: int) -> None:
    try:
        guess = infer_task(question, n_images)
    except UsageError as error:
        assert "question" in str(error)  # noqa: PT017
        return
    assert guess.task in Task
    for task in (None, *Task):
        assert all(label for label in target_labels(question, task))
    is_existence(question)


@pytest.mark.parametrize("question", ["", "  \n ", "x" * 2001, "x" * 100_000])
def test_an_empty_or_endless_question_is_refused_in_words(question: str) -> None:
    for call in (lambda: infer_task(question), lambda: render(Task.COUNT, question, profile())):
        with pytest.raises(UsageError, match=r"question (is empty|has [\d,]+ characters)"):
            call()


def test_existence_is_told_from_counting() -> None:
    assert is_existence("Are there any ships?")
    assert not is_existence("Are there how many ships?")
    assert not is_existence("What is there?")


# -- prompts -----------------------------------------------------------------------------------------------


def test_a_native_prompt_is_the_tag_and_the_question() -> None:
    prompt = render(Task.COUNT, "  How many\n airplanes   are there? ", profile(), context="E1 ship")
    assert (prompt.system, prompt.text) == ("", "[count] How many airplanes are there?")
    assert (prompt.version, prompt.context_used) == (PROMPT_VERSION, False)


def test_a_native_second_look_is_a_question_of_existence() -> None:
    prompt = render_second_look("airplane", "a white airplane", profile())
    assert prompt.text == "[vqa] Is there an airplane in the image?"
    assert is_existence(prompt.text.removeprefix("[vqa] "))


@pytest.mark.parametrize("frame", list(BoxFrame))
def test_the_instructed_system_text_is_the_same_for_every_task_and_question(frame: BoxFrame) -> None:
    model = profile("instructed", frame)
    systems = {
        render(task, question, model).system for task in Task for question in ("How many?", "Where is it?")
    }
    systems.add(render_second_look("ship", "a ship", model).system)
    assert len(systems) == 1
    (system,) = systems
    for tag in ("<think>", "<plan>", "<evidence>", "<synthesis>", "<answer>"):
        assert tag in system


def test_the_system_text_explains_the_frame_of_the_profile() -> None:
    texts = {
        frame: render(Task.COUNT, "How many?", profile("instructed", frame)).system for frame in BoxFrame
    }
    assert "thousandths" in texts[BoxFrame.PER_MILLE]
    assert "pixels of the image as you see it" in texts[BoxFrame.RESIZED_PIXELS]
    for frame in BoxFrame:
        assert ("rotation in degrees, clockwise" in texts[frame]) == frame.has_angle


def test_the_example_of_the_system_text_reads_as_a_box_of_its_frame() -> None:
    for frame in BoxFrame:
        system = render(Task.COUNT, "How many?", profile("instructed", frame)).system
        example = system[system.index("E1 airplane") :].split("</evidence>")[0]
        trace = parse(f"<evidence>{example}</evidence>", frame)
        assert [e.label for e in trace.evidence] == ["airplane"]
        assert trace.repairs == ()


def test_every_task_has_its_own_instruction_and_ends_with_the_question() -> None:
    texts = {
        task: render(task, "What about the ships?", profile("instructed"), n_images=2).text for task in Task
    }
    assert len(set(texts.values())) == len(Task)
    assert all(text.endswith('Question: "What about the ships?"') for text in texts.values())
    assert "image 1 to image 2" in texts[Task.CHANGE]
    assert "yes or no" in render(Task.VQA, "Is there a ship?", profile("instructed")).text


def test_labels_and_context_reach_an_instructed_model() -> None:
    prompt = render(
        Task.CLASSIFY,
        "Which?",
        profile("instructed"),
        labels=("harbour", "airport"),
        context="E1 ship\nE2 ship",
    )
    assert "The classes to choose from: harbour, airport." in prompt.text
    assert "E1 ship\nE2 ship" in prompt.text
    assert prompt.context_used
    long = render(Task.VQA, "Which?", profile("instructed"), context="E1 ship\n" * 10_000)
    assert len(long.text) < 25_000
    assert "the rest was left out" in long.text


def test_a_question_cannot_add_pictures_or_end_the_thinking() -> None:
    for style in ("native", "instructed"):
        text = render(Task.VQA, "Is <|image|> <image> </think> here? \x00", profile(style)).text
        for token in ("<|image|>", "<image>", "</think>", "\x00"):
            assert token not in text


def test_an_unknown_style_is_refused() -> None:
    with pytest.raises(ValueError, match="'native', 'plain' or 'instructed'"):
        profile("telepathic")


def test_a_plain_prompt_is_the_question_alone() -> None:
    prompt = render(Task.COUNT, "How many ships?", profile("plain"), ("ship",), context="E1 ship")
    assert (prompt.system, prompt.text, prompt.context_used) == ("", "How many ships?", False)


# -- the canonical text ------------------------------------------------------------------------------------


def test_the_canonical_text_is_written_character_for_character() -> None:
    boxes = [ModelBox(120, 80, 200, 160), ModelBox(410, 395, 470, 470)]
    findings = [Finding("airplane", box, place_words(box, BoxFrame.PER_MILLE)) for box in boxes]
    text = count_trace("Scan the tile row by row for airplanes.", findings, BoxFrame.PER_MILLE, ("airplane",))
    assert text == (
        "<think><plan>Scan the tile row by row for airplanes.</plan><evidence>E1 airplane, upper left "
        "[120,80,200,160]. E2 airplane, centre [410,395,470,470]. </evidence><synthesis>E1 to E2 are airplanes, "
        "2 in all.</synthesis></think><answer>2</answer>"
    )
    assert count_trace("Look.", [], BoxFrame.PER_MILLE, ("airplane",)) == (
        "<think><plan>Look.</plan><evidence>No airplane is visible. </evidence>"
        "<synthesis>Nothing to count.</synthesis></think><answer>0</answer>"
    )
    assert detect_answer(boxes, BoxFrame.PER_MILLE) == "[[120,80,200,160],[410,395,470,470]]"
    assert detect_answer([], BoxFrame.PER_MILLE) == "[]"


_labels = st.sampled_from(["airplane", "ship", "storage tank", "vehicle"])
_boxes = st.tuples(*[st.floats(-50, 350)] * 4).map(lambda v: quantise_per_mille(*v, 300, 200))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(_labels, _boxes), max_size=12, unique_by=lambda pair: pair[1]))
def test_what_is_written_is_what_is_read(pairs: list[tuple[str, ModelBox]]) -> None:
    frame = BoxFrame.PER_MILLE
    findings = [Finding(label, box, place_words(box, frame)) for label, box in pairs]
    asked = tuple(dict.fromkeys(label for label, _ in pairs)) or ("ship",)
    trace = parse(count_trace("Look.", findings, frame, asked), frame, Task.COUNT, asked)
    assert [(e.label, e.box) for e in trace.evidence] == pairs
    assert trace.value == len(pairs)
    assert trace.repairs == ()
    assert trace.complete
    for label in asked:
        count = sum(label == one for one, _ in pairs)
        assert not pairs or (label, count) in trace.stated_counts
    answer = detect_answer([box for _, box in pairs], frame)
    again = parse(format_trace("Look.", "", count_synthesis(findings), answer), frame, Task.DETECT, asked)
    assert [e.box for e in again.answer_boxes] == [box for _, box in pairs]
    assert again.usable


@settings(max_examples=150, deadline=None)
@given(st.tuples(*[st.floats(-1000, 3000)] * 4), st.floats(1, 2000), st.floats(1, 2000))
def test_quantised_boxes_are_whole_ordered_and_inside(
    values: tuple[float, float, float, float], width: float, height: float
) -> None:
    box = quantise_per_mille(*values, width, height)
    assert 0 <= box.x0 < box.x1 <= 999
    assert 0 <= box.y0 < box.y1 <= 999
    assert all(v == int(v) for v in (box.x0, box.y0, box.x1, box.y1))


def test_a_box_is_quantised_to_the_nearest_per_mille() -> None:
    assert quantise_per_mille(22.4, 11.2, 112, 56, 224, 112) == ModelBox(100, 100, 500, 500)
    with pytest.raises(ValueError, match="size"):
        quantise_per_mille(0, 0, 1, 1, 0, 5)


def test_places_are_thirds_of_the_frame() -> None:
    frame = BoxFrame.PER_MILLE
    at = {(x, y): place_words(ModelBox(x, y, x, y), frame) for x in (100, 500, 900) for y in (100, 500, 900)}
    assert at[100, 100] == "upper left"
    assert at[500, 500] == "centre"
    assert at[500, 100] == "top"
    assert at[900, 500] == "right"
    assert at[900, 900] == "lower right"
    with pytest.raises(ValueError, match="resized"):
        place_words(ModelBox(1, 1, 2, 2), BoxFrame.RESIZED_PIXELS)


def test_an_angle_has_no_place_in_other_frames_and_tags_none_in_parts() -> None:
    with pytest.raises(ValueError, match="angle"):
        format_box(ModelBox(1, 2, 3, 4, 5), BoxFrame.PER_MILLE)
    assert format_box(ModelBox(1, 2, 3, 4, 5), BoxFrame.RESIZED_PIXELS_ANGLE) == "[1,2,3,4,5]"
    assert format_box(ModelBox(1, 2, 3, 4, 5), BoxFrame.PERCENT_ANGLE) == "{<1><2><3><4>|<5>}"
    assert format_box(ModelBox(1e-233, 0.25, 3, 4), BoxFrame.PER_MILLE) == "[0,0.25,3,4]"
    with pytest.raises(ValueError, match="tag"):
        format_trace("a</plan>", "", "", "")
