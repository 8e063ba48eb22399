"""OWSLib, the library other people's programs use, reads collections, schemas and items."""

from __future__ import annotations

import json

from owslib.ogcapi.features import Features
from owslib.util import Authentication

from groundproof.outputs import read
from groundproof.service.jobs.ask_process import RESULT
from tests.engine.conftest import BOXES, Squares
from tests.service.conftest import QUESTION, TOKEN, Live


def test_owslib_finds_the_collections_and_reads_them_page_by_page(live: Live, squares: Squares) -> None:
    job = live.ask(squares.path)
    live.wait(job)
    client = Features(live.url, auth=Authentication("owslib", TOKEN))
    assert any(c.endswith("ogcapi-features-2/1.0/conf/crs") for c in client.conformance()["conformsTo"])
    paths = client.api()["paths"]
    limit = next(
        p for p in paths["/collections/{collection_id}/items"]["get"]["parameters"] if p["name"] == "limit"
    )
    assert limit["schema"]["maximum"] == 10_000
    assert client.feature_collections() == [f"{job}-{t}" for t in ("evidence", "answers", "tiles", "scenes")]
    name = f"{job}-evidence"
    assert QUESTION in client.collection(name)["title"]
    evidence = read(live.service.jobs.folder(job) / RESULT).evidence
    found = []
    for offset in range(0, len(BOXES), 2):
        page = client.collection_items(name, limit=2, offset=offset)
        assert page["numberMatched"] == len(BOXES)
        found += page["features"]
    assert [f["properties"]["evidence_id"] for f in found] == evidence.evidence_id.tolist()
    assert [json.loads(f["properties"]["box_px"]) for f in found] == evidence.box_px.tolist()
    one = client.collection_item(name, found[3]["id"])
    assert one["properties"] == found[3]["properties"]
    west, south, east, north = evidence.to_crs("OGC:CRS84").geometry.iloc[0].bounds
    inside = client.collection_items(name, bbox=[west, south, east, north])
    assert [f["properties"]["evidence_id"] for f in inside["features"]] == [evidence.evidence_id.iloc[0]]
