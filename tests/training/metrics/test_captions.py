"""Caption metrics against pycocoevalcap (without its Java parts), rouge-score and nltk."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from types import SimpleNamespace

import nltk
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.corpus.reader.wordnet import WordNetCorpusReader
from nltk.corpus.util import LazyCorpusLoader
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge
from rouge_score import rouge_scorer

from groundproof_training.errors import TrainingError
from groundproof_training.metrics import captions
from groundproof_training.metrics.captions import (
    BleuCounts,
    Meteor,
    bleu_counts,
    meteor,
    rouge_l,
    tokens,
)
from groundproof_training.metrics.cider import Frequencies, cider_d

CORPUS = [
    ("Many airplanes are parked near the terminal.",
     ["Several airplanes are parked beside the terminal of an airport.", "Many planes are parked near a terminal."]),
    ("A river runs through a forest", ["A river winds through a dense green forest.", "There is a river in a forest."]),
    ("Some buildings and many green trees are around a church in the town square.",
     ["A church is surrounded by some buildings and many green trees.", "Many trees are around a church."]),
    ("Two storage tanks, white ones, stand beside the harbour; a ship is moored.",
     ["Two white storage tanks are beside a harbour.", "A ship is moored in the harbour near two storage tanks."]),
    ("it's a playground", ["A playground is next to a road and some houses.", "This is a playground with a track."]),
    ("forest forest forest forest forest", ["A piece of green forest.", "It is a dense forest."]),
]  # fmt: skip
word = st.sampled_from(["a", "the", "ship", "tank", "near", "is", "white", "two"])
sentence = st.lists(word, min_size=1, max_size=12).map(tuple)


def joined(text: str) -> str:
    return " ".join(tokens(text))


def coco(scorer: object) -> tuple[object, object]:
    references = {k: [joined(r) for r in refs] for k, (_, refs) in enumerate(CORPUS)}
    results = {k: [joined(said)] for k, (said, _) in enumerate(CORPUS)}
    with contextlib.redirect_stdout(io.StringIO()):
        return scorer.compute_score(references, results)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Two ships, don't move.", "two ships do n't move"),
        ("It's the airport's runway", "it 's the airport 's runway"),
        ("A road. A car; a tree: (three) things!", "a road a car a tree three things"),
        ("a well-kept golf-course", "a well-kept golf-course"),
        ("", ""),
    ],
)
def test_captions_are_cut_as_the_treebank_does(text: str, expected: str) -> None:
    assert joined(text) == expected


def test_bleu_is_cocos() -> None:
    corpus, each = coco(Bleu(4))
    counts = [bleu_counts(tokens(said), [tokens(r) for r in refs]) for said, refs in CORPUS]
    total = sum(counts, BleuCounts())
    for n in range(4):
        assert total.score(n + 1) == pytest.approx(corpus[n], abs=1e-6)
        for one, theirs in zip(counts, each[n], strict=True):
            if all(one.matched[: n + 1]):
                assert one.score(n + 1) == pytest.approx(theirs, abs=1e-6)
            else:
                assert one.score(n + 1) == 0  # COCO's has 1e-15 in its stead
                assert theirs < 0.05
    with pytest.raises(ValueError, match="BLEU-1 to BLEU-4"):
        total.score(5)


def test_rouge_l_is_cocos() -> None:
    _, each = coco(Rouge())
    for (said, refs), theirs in zip(CORPUS, each, strict=True):
        assert rouge_l(tokens(said), [tokens(r) for r in refs]) == pytest.approx(theirs, abs=1e-9)


@given(sentence, sentence)
def test_rouge_l_has_the_subsequence_of_rouge_score(said: tuple[str, ...], true: tuple[str, ...]) -> None:
    theirs = rouge_scorer.RougeScorer(["rougeL"]).score(" ".join(true), " ".join(said))["rougeL"]
    p, r, beta2 = theirs.precision, theirs.recall, 1.2**2
    expected = (1 + beta2) * p * r / (r + beta2 * p) if p and r else 0
    assert rouge_l(said, [true]) == pytest.approx(expected, abs=1e-9)


def test_cider_d_is_cocos_with_the_same_corpus(tmp_path: Path) -> None:
    _, each = coco(Cider())
    table = Frequencies.of(refs for _, refs in CORPUS)
    table.save(tmp_path / "df.json")
    assert Frequencies.load(tmp_path / "df.json") == table
    for (said, refs), theirs in zip(CORPUS, each, strict=True):
        known = [tokens(r) for r in refs]
        assert cider_d(tokens(said), known, table) == pytest.approx(theirs, abs=1e-9)


def test_with_a_fixed_table_a_caption_scores_the_same_whatever_else_is_scored() -> None:
    table = Frequencies.of(refs for _, refs in CORPUS)
    known = tokens(CORPUS[0][1][0])
    assert cider_d(known, [known], table) == pytest.approx(10)
    assert cider_d((), [known], table) == 0 == cider_d(known, [], table)


@pytest.mark.parametrize(
    "content", ["{}", "[]", "not json", '{"format": "another", "documents": 1, "counts": {}}']
)
def test_another_file_is_no_table(content: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(TrainingError, match=r"x\.json is not a CIDEr table"):
        Frequencies.load(tmp_path / "x.json")
    with pytest.raises(TrainingError, match="cannot be read"):
        Frequencies.load(tmp_path / "missing.json")
    with pytest.raises(TrainingError, match="at least one image"):
        Frequencies.of([])


def test_meteor_by_hand() -> None:
    # two of three words match (ships by its stem), one chunk: P = R = 2/3, penalty .5 (1/2)^3
    value = meteor(tokens("two ships here"), [tokens("two ship there")])
    assert value == pytest.approx(2 / 3 * (1 - 0.5 * 0.5**3))
    assert meteor((), [tokens("a ship")]) == 0 == meteor(tokens("a ship"), [])


def test_without_wordnet_its_absence_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nltk.data, "path", [])
    monkeypatch.setattr(nltk.corpus, "wordnet", LazyCorpusLoader("wordnet", WordNetCorpusReader, None))
    captions._wordnet.cache_clear()
    with pytest.raises(TrainingError, match=r"nltk\.downloader wordnet.*exact-stem"):
        meteor(("boat",), [("ship",)], Meteor.WORDNET)


def test_with_wordnet_synonyms_match(monkeypatch: pytest.MonkeyPatch) -> None:
    same = SimpleNamespace(lemmas=lambda: [SimpleNamespace(name=lambda w=w: w) for w in ("boat", "ship")])
    made = SimpleNamespace(synsets=lambda word: [same] if word == "boat" else [])
    monkeypatch.setattr(captions, "_wordnet", lambda variant: made)
    assert meteor(("boat",), [("ship",)], Meteor.WORDNET) == 0.5  # one chunk of one match: penalty 1/2
    assert meteor(("boat",), [("car",)], Meteor.WORDNET) == 0


@given(sentence, st.lists(sentence, min_size=1, max_size=3))
def test_every_score_is_in_range_and_best_for_the_reference_itself(said: tuple, refs: list) -> None:
    table = Frequencies.of(r for _, r in CORPUS)
    values = [bleu_counts(said, refs).score(n) for n in (1, 2, 3, 4)]
    values += [rouge_l(said, refs), meteor(said, refs), cider_d(said, refs, table) / 10]
    assert all(0 <= v <= 1 + 1e-9 for v in values)
    assert rouge_l(refs[0], refs) == pytest.approx(1)


@given(
    st.lists(
        st.sampled_from(
            [
                "a ship",
                " ",
                ". ",
                ", ",
                "; ",
                "cannot",
                "gonna",
                "3",
                "it is",
                ".",
                "!",
                "\n",
                "x-y",
                "A. B",
                ": ",
                "tis",
                "? ",
            ]
        ),
        max_size=9,
    ).map("".join)
)
def test_plain_captions_are_cut_as_all_others(text: str) -> None:
    spaced = captions._INNER_STOP.sub(" .", text.lower().replace("\n", " "))
    whole = captions._TREEBANK.tokenize(spaced)
    assert tokens(text) == tuple(one for one in whole if one not in captions._PUNCTUATION)
