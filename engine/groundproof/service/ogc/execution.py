"""What `POST /processes/{id}/execution` takes.

Knows the execute request of OGC API - Processes part 1 and what inputs and outputs it names. Refuses to know
jobs and HTTP.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from groundproof.errors import UsageError
from groundproof.service.ogc.process_descriptions import Description

QUALIFIED = frozenset({"value", "mediaType", "encoding", "schema", "format"})
LINK = frozenset({"href", "rel", "type", "hreflang", "title"})


class WantedOutput(BaseModel):
    """How one output is wanted. Files come as links in a document and as themselves in a raw answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    transmissionMode: Literal["value", "reference"] = "value"  # noqa: N815 - the standard's name
    format: dict[str, Any] | None = None


class Execute(BaseModel):
    """An execute request."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    inputs: dict[str, Any] = Field(
        default={},
        description="By name, as GET /processes/{id} describes them. A value may also come qualified, as "
        '{"value": ...}; references to other servers are not taken.',
    )
    outputs: dict[str, WantedOutput] | None = Field(
        default=None, description="Which outputs to give. Default: all of them."
    )
    response: Literal["raw", "document"] | None = Field(
        default=None,
        description="raw: the one output that `outputs` names, as it is. document: a JSON object of outputs. "
        "Default: raw where `outputs` names one, else document.",
    )

    @property
    def is_raw(self) -> bool:
        """Whether the one output is to be given as it is.

        Part 1 has raw for a default and puts several outputs into multipart/related, which hardly a client reads;
        for those the default is a document, as in the standard's version 2.
        """
        if self.response is None:
            return self.outputs is not None and len(self.outputs) == 1
        return self.response == "raw"

    def plain_inputs(self) -> dict[str, Any]:
        """Inputs without their qualifications. Raises UsageError for a reference."""
        return {name: _plain(value, name) for name, value in self.inputs.items()}

    def wanted(self, description: Description) -> tuple[str, ...]:
        """Names of the outputs to give. Raises UsageError for unknown ones, and for several raw ones."""
        names = tuple(description.outputs if self.outputs is None else self.outputs)
        unknown = [name for name in names if name not in description.outputs]
        if unknown:
            raise UsageError(
                f"The process {description.process_id} has no output {', '.join(unknown)}; it has "
                f"{', '.join(description.outputs)}."
            )
        if self.is_raw and len(names) != 1:
            raise UsageError(
                f"A raw answer holds one output, and {len(names)} are wanted. Name one in `outputs`, or ask for "
                'a document: "response": "document".'
            )
        return names


def _plain(value: Any, name: str) -> Any:
    if isinstance(value, list):
        return [_plain(item, name) for item in value]
    if isinstance(value, dict) and "value" in value and value.keys() <= QUALIFIED:
        return value["value"]
    if isinstance(value, dict) and "href" in value and value.keys() <= LINK:
        raise UsageError(
            f"The input {name} is a reference, and this service fetches nothing for its clients. Give the value "
            'itself; a scene may be named as {"url": ...} where the operator allows its address.'
        )
    return value
