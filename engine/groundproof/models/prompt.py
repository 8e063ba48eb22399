"""System text and question -> token ids, through the tokenizer's own chat template.

Knows the tokenizer and the fixed order system text, images, question. Refuses to let the question speak
with the template's voice: control tokens typed by a person, or hidden in a text, stay plain text.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from groundproof.errors import ModelError

SYSTEM_MARK = "\ue000system\ue000"
TEXT_MARK = "\ue000text\ue000"
"""Stand-ins (private use area) that show where the template puts the two texts."""

LOOKS_LIKE_CONTROL = re.compile(r"<\|[^|<>]*\|>|\[gMASK\]|<sop>")
"""Added tokens of this shape are control tokens even where a tokenizer forgot to mark them special."""

THINK = "<think>"


class PromptBuilder:
    """Prompts of one tokenizer. Template renderings are cached, so a prompt costs one encoding.

    tokenizer: a transformers fast tokenizer with a chat template. image_token: what the template writes for
    one image; it stays one token here, `processing.py` repeats it.

    Raises: ModelError when the tokenizer has no chat template or no such image token.
    """

    def __init__(self, tokenizer: Any, image_token: str) -> None:
        self.tokenizer = tokenizer
        self._backend = tokenizer.backend_tokenizer
        if not tokenizer.chat_template:
            raise ModelError("The tokenizer has no chat template; a chat model's folder is needed.")
        added = tokenizer.added_tokens_decoder.values()
        control = {t.content for t in added if t.special or LOOKS_LIKE_CONTROL.fullmatch(t.content)}
        control.add(image_token)
        self.control_ids = {tokenizer.convert_tokens_to_ids(t) for t in control}
        longest_first = sorted(control, key=lambda t: (-len(t), t))
        self._control = re.compile(f"(?=({'|'.join(map(re.escape, longest_first))}))")
        self._reach = len(longest_first[0])
        self._image_token = image_token
        self._renderings: dict[tuple[int, bool], tuple[tuple[str, ...], int]] = {}

    def ids(self, system: str, text: str, n_images: int) -> list[int]:
        """Token ids up to where the answer begins; one image token per image.

        system: trusted text, encoded as the template's own. text: whatever a person wrote.

        Raises: ModelError when the chat template cannot carry these parts, or the tokenizer's normaliser
        makes control tokens out of plain text.
        """
        (before, middle, after), expected = self._rendering(n_images, bool(system))
        start = len(before) + len(system) + len(middle)
        rendered = f"{before}{system}{middle}{text}{after}"
        bounds = [0, *self._cuts(rendered, start, start + len(text)), len(rendered)]
        ids: list[int] = []
        for left, right in pairwise(bounds):
            ids += self._backend.encode(rendered[left:right], add_special_tokens=False).ids
        own = self._control_count(system) if system else 0
        if self._count(ids) != expected + own:
            raise ModelError("The question contains text that this tokenizer turns into control tokens.")
        return ids

    def plain(self, text: str) -> str:
        """The text with a space inside every control token, for processors that only take strings."""
        places = self._cuts(text, 0, len(text))
        return "".join(
            text[a:b] + (" " if b < len(text) else "")
            for a, b in zip([0, *places], [*places, len(text)], strict=True)
        )

    def string(self, system: str, text: str, n_images: int) -> str:
        """The prompt as one string, its question made `plain`."""
        (before, middle, after), _ = self._rendering(n_images, bool(system))
        return f"{before}{system}{middle}{self.plain(text)}{after}"

    def opening(self) -> str:
        """ "<think>" where the template already opens the answer's thinking, else ""."""
        (_, _, after), _ = self._rendering(1, has_system=False)
        return THINK if after.rstrip().endswith(THINK) else ""

    def _cuts(self, rendered: str, start: int, end: int) -> list[int]:
        """Places inside [start, end] that break every control token touching the question's span."""
        cuts = set()
        reach = self._reach
        for match in self._control.finditer(rendered, max(0, start - reach), min(len(rendered), end + reach)):
            left, right = match.start(1), match.end(1)
            if left < end and right > start:
                cuts.add(min(max(left + 1, start), end))
        return sorted(cuts - {0, len(rendered)})

    def _count(self, ids: list[int]) -> int:
        return sum(i in self.control_ids for i in ids)

    def _control_count(self, text: str) -> int:
        return self._count(self._backend.encode(text, add_special_tokens=False).ids)

    def _rendering(self, n_images: int, has_system: bool) -> tuple[tuple[str, ...], int]:
        """The template's text before, between and after the two texts, and its number of control tokens."""
        key = (n_images, has_system)
        if key not in self._renderings:
            content: list[dict[str, str]] = [{"type": "image"} for _ in range(n_images)]
            content.append({"type": "text", "text": TEXT_MARK})
            messages: list[dict[str, Any]] = [{"role": "user", "content": content}]
            if has_system:
                system = [{"type": "text", "text": SYSTEM_MARK}]
                messages.insert(0, {"role": "system", "content": system})
            rendered = self.tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=True
            )
            before, mark, rest = (
                rendered.partition(SYSTEM_MARK) if has_system else ("", SYSTEM_MARK, rendered)
            )
            middle, text_mark, after = rest.partition(TEXT_MARK)
            images = [part.count(self._image_token) for part in (before, middle, after)]
            if not (mark and text_mark) or images != [0, n_images, 0]:
                raise ModelError(
                    "The tokenizer's chat template does not write system text, images, question in this order."
                )
            literal = self._control_count(before) + self._control_count(middle) + self._control_count(after)
            self._renderings[key] = ((before, middle, after), literal)
        return self._renderings[key]
