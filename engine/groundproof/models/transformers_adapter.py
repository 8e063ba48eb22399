"""A vision-language model in this process, through transformers.

Knows checkpoints, batches and cancelling. Refuses remote code and pickled weights, and knows no geography.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForImageTextToText, Glm4vForConditionalGeneration
from transformers.utils import logging as transformers_logging

from groundproof.errors import ModelError
from groundproof.models.base import Finish, Piece, Request
from groundproof.models.decoding import Batch, Decoding, Row
from groundproof.models.hardware import SMALL_WEIGHTS_BYTES, choose_device, choose_dtype
from groundproof.models.identity import content_hash
from groundproof.models.known_images import KnownImages
from groundproof.models.patch_embedding import patch_embedding_as_linear
from groundproof.models.processing import Patches, Processing, load_processing
from groundproof.models.profiles import Profile
from groundproof.models.resolve import ModelSpec
from groundproof.models.text_stream import TextStream

MAX_IN_FLIGHT = 16
"""Requests answered together by default. A 7 M parameter model wrote 93, 356 and 437 tokens per
CPU second with 1, 8 and 16 rows (one thread, 40 tokens each, prefill of 224 px tiles included): past 16
little is left to win."""

MAX_IN_FLIGHT_LARGE = {"cpu": 2, "mps": 2}
"""The same for large weights where memory is shared with everything else on the machine."""


@dataclass(slots=True)
class _Answer:
    """One request being answered: its row, its text so far, log-probabilities of tokens still held back."""

    request: Request
    row: Row
    stream: TextStream
    held: float = 0.0
    opened: bool = field(default=False)

    def piece(self, text: str, finish: Finish | None = None) -> Piece:
        held, self.held = self.held, 0.0
        return Piece(self.request.request_id, text, held, finish)


class TransformersModel:
    """Implements `VisionLanguageModel` (see `models/base.py`) with greedy decoding.

    Requests are answered in batches of `max_in_flight`, in the order they come; a batch is pulled when the
    one before has ended. So the same requests in the same order are computed in the same batches and give
    the same text. Pieces are one token each, except where a character spans tokens.

    Requests of one batch that hold the same image array, several questions about one tile, are one encoding of
    that image (`decoding.Batch`). Nothing is kept from batch to batch: a batch that is asked again after an
    interruption is computed as it was the first time.

    Several threads may generate at once; their steps take turns.
    """

    def __init__(
        self,
        profile: Profile,
        model: Any,
        processing: Processing,
        identity: str,
        max_in_flight: int,
    ) -> None:
        self.profile = profile
        self.identity = identity
        self.max_in_flight = max_in_flight
        self.constrains = False
        self.continuous = False
        self.model = model
        self._processing = processing
        self._decoding = _decoding(model, processing.tokenizer, profile)
        self._context = getattr(model.config.get_text_config(), "max_position_embeddings", None) or 1 << 30
        self._closed = threading.Event()
        self._turn = threading.Lock()

    def generate(self, requests: Iterable[Request]) -> Generator[Piece]:
        """Answers, piece by piece; see the class and `VisionLanguageModel`.

        Raises: ModelError when the model was closed before, or its device died.
        """
        if self._closed.is_set():
            raise ModelError(f"The model {self.identity} was closed; open it again to ask more.")
        source = iter(requests)
        while not self._closed.is_set():
            pulled = list(islice(source, self.max_in_flight))
            if not pulled:
                return
            yield from self._answer_batch(pulled)

    def close(self) -> None:
        """Cancel what runs, between two tokens; from any thread. The model stays closed."""
        self._closed.set()

    def _answer_batch(self, requests: list[Request]) -> Iterator[Piece]:
        answers = []
        images: KnownImages[Patches] = KnownImages()
        for request in requests:
            try:
                answers.append(self._prepare(request, images))
            except (ModelError, ValueError, TypeError, RuntimeError) as err:
                yield _failed(request, err)
        del images  # an image's patches go with the last row that needs them
        if answers:
            yield from self._decode(answers)

    def _prepare(self, request: Request, images: KnownImages[Patches] | None = None) -> _Answer:
        wanted = self.profile.max_new_tokens if request.max_new_tokens is None else request.max_new_tokens
        if wanted < 1:
            raise ModelError(f"max_new_tokens must be at least 1, got {wanted}.")
        prepared = self._processing.prepare(request, images)
        room = self._context - len(prepared.ids)
        if room < 1:
            raise ModelError(
                f"The question and its images make {len(prepared.ids)} tokens; the model takes {self._context}. "
                "Shorten the question or use smaller tiles."
            )
        stream = TextStream(self._processing.tokenizer.backend_tokenizer)
        return _Answer(request, Row(prepared, min(wanted, room)), stream)

    def _decode(self, answers: list[_Answer]) -> Iterator[Piece]:
        """Decode together; on a failure go on from the tokens already given, in two halves.

        So one bad request or a batch too large for the memory costs a few retries, not its companions.
        """
        batch: Batch | None = None
        failure: Exception | None = None
        keep: list[int] | None = None
        while answers and failure is None:
            if self._closed.is_set():
                yield from (answer.piece(answer.stream.flush(), "cancelled") for answer in answers)
                return
            try:
                with self._turn:
                    if batch is None:
                        batch = Batch(self.model, [answer.row for answer in answers], self._decoding)
                    elif keep is not None:
                        batch.keep(keep)
                    tokens, logprobs = batch.step()
            except Exception as err:  # noqa: BLE001 - whatever a forward pass raises ends requests, not the run
                failure = err
                break
            going = []
            for place, (answer, token, logprob) in enumerate(zip(answers, tokens, logprobs, strict=True)):
                pieces = list(self._advance(answer, token, logprob))
                yield from pieces
                if not (pieces and pieces[-1].finish):
                    going.append(place)
            keep = going if len(going) < len(answers) else None
            if keep is not None:
                answers = [answers[place] for place in going]
        if failure is not None:
            del batch
            yield from self._after(failure, answers)

    def _advance(self, answer: _Answer, token: int, logprob: float) -> Iterator[Piece]:
        if not answer.opened:
            answer.opened = True
            if self._processing.opening:
                yield answer.piece(self._processing.opening)
        if token in self._decoding.stop_ids:
            yield answer.piece(answer.stream.flush(), "stop")
            return
        answer.row.tokens.append(token)
        answer.held += logprob
        text = answer.stream.push(token)
        if len(answer.row.tokens) >= answer.row.limit:
            yield answer.piece(text + answer.stream.flush(), "length")
        elif text:
            yield answer.piece(text)

    def _after(self, failure: Exception, answers: list[_Answer]) -> Iterator[Piece]:
        if _is_fatal(failure):
            raise ModelError(f"The model {self.identity} died: {_sentence(failure)}") from failure
        if self.model.device.type == "cuda":
            torch.cuda.empty_cache()
        if len(answers) == 1:
            yield _failed(answers[0].request, failure)
            return
        middle = len(answers) // 2
        yield from self._decode(answers[:middle])
        yield from self._decode(answers[middle:])


def load(spec: ModelSpec, device: str = "auto", max_in_flight: int | None = None) -> TransformersModel:
    """Load a checkpoint. device: see `choose_device`; max_in_flight: None for the device's default.

    bfloat16 where it is native and the weights are large, else float32 (`hardware.choose_dtype`). The
    identity is "PROFILE-HASH-DTYPE", the hash over the checkpoint's files.

    Raises: ModelError when the checkpoint is damaged, incomplete or of an unknown architecture, or the
    device is not there.
    """
    place = choose_device(device)
    folder = spec.folder
    weights_bytes = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    dtype = choose_dtype(place, weights_bytes)
    if max_in_flight is None:
        large = weights_bytes >= SMALL_WEIGHTS_BYTES
        max_in_flight = MAX_IN_FLIGHT_LARGE.get(place.type, MAX_IN_FLIGHT) if large else MAX_IN_FLIGHT
    if max_in_flight < 1:
        raise ModelError(f"max_in_flight must be at least 1, got {max_in_flight}.")
    bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        loader: Any = AutoModelForImageTextToText
        if config.model_type == "glm4v":
            loader = Glm4vForConditionalGeneration
        model, report = loader.from_pretrained(
            folder,
            dtype=dtype,
            attn_implementation="sdpa",
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except Exception as err:
        raise ModelError(f"The model in {folder} cannot be loaded: {_sentence(err)}") from err
    finally:
        if bars:
            transformers_logging.enable_progress_bar()
    missing = sorted(report["missing_keys"])
    if missing:
        raise ModelError(
            f"The weights in {folder} lack {len(missing)} of the model's tensors, {missing[0]} among them; "
            "the files are incomplete or belong to another config.json."
        )
    processing = load_processing(folder, config)
    patch_embedding_as_linear(model)
    try:
        model = model.to(place).eval()
    except RuntimeError as err:
        raise ModelError(f"The model in {folder} does not fit on {place}: {_sentence(err)}") from err
    name = f"{spec.profile.name}-{content_hash(folder)}-{str(dtype).removeprefix('torch.')}"
    return TransformersModel(spec.profile, model, processing, name, max_in_flight)


def _decoding(model: Any, tokenizer: Any, profile: Profile) -> Decoding:
    stops: set[int] = set()
    for source in (model.generation_config, model.config, model.config.get_text_config(), tokenizer):
        found = getattr(source, "eos_token_id", None)
        if found is not None:
            stops |= {found} if isinstance(found, int) else set(found)
            break
    pad = tokenizer.pad_token_id
    if pad is None:
        pad = min(stops, default=0)
    return Decoding(frozenset(stops), pad, profile.repetition_penalty)


def _failed(request: Request, err: Exception) -> Piece:
    return Piece(request.request_id, "", None, "error", _sentence(err))


def _sentence(err: Exception) -> str:
    if isinstance(err, torch.OutOfMemoryError | MemoryError) or "allocate memory" in str(err):
        return "There is not enough memory for this request; use smaller tiles or a smaller model."
    lines = str(err).strip().splitlines()
    text = lines[0] if lines else type(err).__name__
    return text if isinstance(err, ModelError) else f"{type(err).__name__}: {text}"


def _is_fatal(err: Exception) -> bool:
    """Whether the device is gone: after such an error every CUDA call of the process fails."""
    if isinstance(err, torch.OutOfMemoryError):
        return False
    accelerator = getattr(torch, "AcceleratorError", None)
    return (accelerator is not None and isinstance(err, accelerator)) or "CUDA error" in str(err)
