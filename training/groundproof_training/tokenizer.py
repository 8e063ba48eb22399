"""The tokenizer of `tiny`: GLM's special tokens, every number 0 to 999 one token, a small byte-level BPE for the rest.

Trained on the templates' own wording plus general English (the help texts that ship with Python), so the words of
the task are one token each and anything else still encodes. Knows nothing of images; the image processor's
configuration is written by `export`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

SPECIAL = (
    "<|endoftext|>", "[gMASK]", "<sop>", "<|system|>", "<|user|>", "<|assistant|>", "<|observation|>",
    "<|begin_of_image|>", "<|image|>", "<|end_of_image|>", "<|begin_of_video|>", "<|video|>", "<|end_of_video|>",
)  # fmt: skip
"""Skipped by `decode(skip_special_tokens=True)`."""

TAGS = tuple(
    f"<{slash}{tag}>" for tag in ("think", "plan", "evidence", "synthesis", "answer") for slash in ("", "/")
)
"""One token each, and they survive decoding: the engine parses them."""

MARKS = (
    "]. ", "],[", "[[", "]]", "[]", "[count]", "[detect]", "[ground]", "[vqa]", "[caption]", "[classify]",
    "[region-caption]", "[grounded-caption]", "[change]",
)  # fmt: skip
"""Punctuation of the grammar that is one token each: tokens are time."""

WORDS_AT_MOST = 900
"""Merges learnt beyond bytes and numbers."""

_SPLIT = r"\d{1,3}|'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?[^\s\p{L}\d]+|\s+"

CHAT_TEMPLATE = (
    "[gMASK]<sop>"
    "{%- for m in messages -%}"
    "<|{{ m.role }}|>{{ '\\n' }}"
    "{%- if m.content is string -%}{{ m.content }}"
    "{%- else -%}"
    "{%- for part in m.content -%}"
    "{%- if part.type == 'image' or 'image' in part or 'image_url' in part -%}"
    "<|begin_of_image|><|image|><|end_of_image|>"
    "{%- elif part.type == 'text' -%}{{ part.text }}{%- endif -%}"
    "{%- endfor -%}"
    "{%- endif -%}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}<|assistant|>{{ '\\n' }}{%- endif -%}"
)
"""GLM-4.1V's layout. One `<|image|>` stands for one image; whoever feeds the model repeats it per merged token."""


def general_english() -> Iterable[str]:
    """English that every Python brings along: the texts behind `help()`."""
    from pydoc_data.topics import topics

    return topics.values()


def make_tokenizer(corpus: Iterable[str]) -> PreTrainedTokenizerFast:
    """Train on `corpus` (the templates' texts, repeated as they are frequent) and general English."""
    split = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    trainee = Tokenizer(models.BPE())
    trainee.pre_tokenizer = split
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=len(alphabet) + WORDS_AT_MOST, initial_alphabet=alphabet, show_progress=False
    )
    # Digits are dropped from the training text: their merges are made below, completely.
    drop = str.maketrans("", "", "0123456789")
    trainee.train_from_iterator((text.translate(drop) for text in (*corpus, *general_english())), trainer)
    learnt = json.loads(trainee.to_str())["model"]["merges"]

    vocab: dict[str, int] = {}
    for text in SPECIAL:
        vocab[text] = len(vocab)
    for number in range(1000):
        vocab[str(number)] = len(vocab)
    for ones in range(10):
        vocab[f"0{ones}"] = len(vocab)
    for symbol in alphabet:
        vocab.setdefault(symbol, len(vocab))
    merges: list[tuple[str, str]] = [(str(a), str(b)) for a in range(10) for b in range(10)]
    # Both ways to split three digits: the pair of lowest rank merges first, wherever it stands.
    merges += [(str(abc // 10), str(abc % 10)) for abc in range(100, 1000)]
    merges += [(str(abc // 100), f"{abc % 100:02d}") for abc in range(100, 1000)]
    for left, right in learnt:
        merges.append((left, right))
        vocab.setdefault(left + right, len(vocab))
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges))
    tokenizer.pre_tokenizer = split
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in SPECIAL])
    tokenizer.add_tokens([AddedToken(text, special=False, normalized=False) for text in (*TAGS, *MARKS)])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|endoftext|>",  # noqa: S106 - a token of text
        pad_token="<|endoftext|>",  # noqa: S106
        clean_up_tokenization_spaces=False,
        padding_side="left",
        model_input_names=["input_ids", "attention_mask"],
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast


def special_ids(tokenizer: PreTrainedTokenizerFast) -> dict[str, int]:
    """Ids of `SPECIAL` and `TAGS`."""
    return {text: tokenizer.convert_tokens_to_ids(text) for text in (*SPECIAL, *TAGS, *MARKS)}


def first_number_id(tokenizer: PreTrainedTokenizerFast) -> int:
    """Id of "0"; the ids of 1 to 999 follow it without a gap."""
    first = tokenizer.convert_tokens_to_ids("0")
    if tokenizer.convert_tokens_to_ids("999") != first + 999:
        raise ValueError("the tokenizer's numbers are not consecutive; make it again with make_tokenizer")
    return first


def load_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """Read back what `save_pretrained` wrote."""
    return PreTrainedTokenizerFast.from_pretrained(folder)
