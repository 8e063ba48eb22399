"""The tokenizer: numbers, tags, round trips."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundproof_training.templates import corpus
from groundproof_training.tokenizer import SPECIAL, TAGS, first_number_id, load_tokenizer, make_tokenizer


@pytest.fixture(scope="module")
def tokenizer():
    return make_tokenizer(corpus(400))


def test_every_number_below_a_thousand_is_one_token_in_order(tokenizer):
    zero = first_number_id(tokenizer)
    assert [tokenizer.encode(str(n)) for n in range(1000)] == [[zero + n] for n in range(1000)]


def test_numbers_stay_whole_inside_a_box(tokenizer):
    zero = first_number_id(tokenizer)
    ids = tokenizer.encode("E12 ship, left [503,7,999,10]. ")
    assert [i - zero for i in ids if zero <= i < zero + 1000] == [12, 503, 7, 999, 10]


def test_tags_survive_decoding_and_control_tokens_do_not(tokenizer):
    text = "<think><plan>a</plan></think><answer>2</answer>"
    assert tokenizer.decode(tokenizer.encode("<sop>" + text + "<|user|>"), skip_special_tokens=True) == text
    for token in (*SPECIAL, *TAGS):
        assert len(tokenizer.encode(token)) == 1


def test_the_chat_template_is_that_of_glm(tokenizer):
    messages = [
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "[count] How many ships?"}]}
    ]
    assert tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True) == (
        "[gMASK]<sop><|user|>\n<|begin_of_image|><|image|><|end_of_image|>[count] How many ships?<|assistant|>\n"
    )


def test_it_reads_back_from_a_folder(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    again = load_tokenizer(tmp_path)
    text = corpus(3)[2]
    assert again.encode(text) == tokenizer.encode(text)
    assert again.chat_template == tokenizer.chat_template


@settings(max_examples=80, deadline=None)
@given(text=st.text(st.characters(exclude_categories=("Cs",)), max_size=60))
def test_any_text_round_trips(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text
