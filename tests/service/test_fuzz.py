"""Damaged and crafted files of every accepted format: decoded, or refused in words; never an error of ours."""

from __future__ import annotations

import concurrent.futures
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import rasterio
from fastapi.testclient import TestClient

from groundproof.errors import GroundproofError, SceneError, outcome
from groundproof.service.settings import Limits
from groundproof.service.uploads.decoding import decode

from . import image_files

LIMITS = Limits(image_pixels=250_000, decode_seconds=20, decode_bytes=1 << 30)
"""What 48 x 48 px files may become; small, so that a mutant that decodes does so quickly."""

PER_SAMPLE = 105
THREADS = 4

VRT = b"""<VRTDataset rasterXSize="48" rasterYSize="48"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>
<SourceFilename>/etc/passwd</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"""


def flip_bytes(data: bytearray, rng: random.Random, _: list[bytes]) -> None:
    for _ in range(rng.choice((1, 2, 5, 20, 100))):
        data[rng.randrange(len(data))] = rng.randrange(256)


def flip_in_header(data: bytearray, rng: random.Random, _: list[bytes]) -> None:
    for _ in range(rng.choice((1, 2, 4))):
        data[rng.randrange(4, min(400, len(data)))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))


def truncate(data: bytearray, rng: random.Random, _: list[bytes]) -> None:
    del data[rng.randrange(len(data)) :]


def insert(data: bytearray, rng: random.Random, _: list[bytes]) -> None:
    at = rng.randrange(len(data))
    data[at:at] = rng.randbytes(rng.choice((1, 2, 7, 64, 1000)))


def remove(data: bytearray, rng: random.Random, _: list[bytes]) -> None:
    at = rng.randrange(len(data))
    del data[at : at + rng.choice((1, 2, 7, 64))]


def repeat(data: bytearray, rng: random.Random, _: list[bytes]) -> None:
    at = rng.randrange(len(data))
    data[at:at] = data[at : at + 200] * rng.choice((1, 5))


def numbers(data: bytearray, rng: random.Random, _: list[bytes]) -> None:
    """Sizes, counts and offsets at their limits."""
    at = rng.randrange(4, max(5, len(data) - 8))
    value = rng.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF))
    size = rng.choice((2, 4, 8))
    data[at : at + size] = (value & ((1 << 8 * size) - 1)).to_bytes(size, rng.choice(("little", "big")))


def swap_header(data: bytearray, rng: random.Random, others: list[bytes]) -> None:
    size = rng.choice((4, 8, 12, 32, 100))
    data[:size] = rng.choice(others)[:size]


def splice(data: bytearray, rng: random.Random, others: list[bytes]) -> None:
    other = rng.choice(others)
    at = rng.randrange(len(data))
    data[at:] = other[rng.randrange(len(other)) :]


def plant_xml(data: bytearray, rng: random.Random, _: list[bytes]) -> None:
    at = rng.choice((0, 3, 4, 8, 12, rng.randrange(len(data))))
    data[at:at] = VRT


MUTATIONS: tuple[Callable[[bytearray, random.Random, list[bytes]], None], ...] = (
    flip_bytes, flip_in_header, flip_in_header, truncate, insert, remove, repeat, numbers, numbers, swap_header,
    splice, plant_xml,
)  # fmt: skip


def mutants(samples: dict[str, Path], per_sample: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Named by format, mutation and number; the same for the same seed."""
    contents = {name: path.read_bytes() for name, path in samples.items()}
    everything = list(contents.values())
    for name, whole in contents.items():
        rng = random.Random(f"{seed} {name}")
        for number in range(per_sample):
            data = bytearray(whole)
            mutation = MUTATIONS[number % len(MUTATIONS)]
            mutation(data, rng, everything)
            if rng.random() < 0.2:
                flip_bytes(data, rng, everything) if data else None
            yield f"{name} {mutation.__name__} {number}", bytes(data)


def outcomes(folder: Path, files: Iterator[tuple[str, bytes]]) -> Counter[str]:
    """What became of each file: "decoded", or "refused" with a 4xx and a sentence. Anything else raises."""

    def judge(named: tuple[str, bytes]) -> str:
        name, content = named
        source, target = folder / f"{name}.in", folder / f"{name}.out"
        source.write_bytes(content)
        try:
            found = decode(source, target, LIMITS)
        except GroundproofError as err:
            refused: GroundproofError | None = err
        else:
            refused = None
            assert found.width * found.height <= LIMITS.image_pixels, name
            with rasterio.open(target, driver="GTiff") as clean:
                clean.read()
            target.unlink()
        finally:
            source.unlink()
        if refused is not None:
            assert 400 <= outcome(refused).http_status < 500, name
            assert len(str(refused)) > 20, name
            assert str(folder) not in str(refused), name
            assert not target.exists(), name
        return "decoded" if refused is None else "refused"

    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        return Counter(pool.map(judge, files))


def test_2100_damaged_files_are_decoded_or_refused_in_words(tmp_path: Path) -> None:
    samples = image_files.samples(tmp_path)
    assert len(samples) * PER_SAMPLE >= 2000
    counts = outcomes(tmp_path, mutants(samples, PER_SAMPLE, seed=4))
    print(counts)
    assert sum(counts.values()) == len(samples) * PER_SAMPLE
    assert counts["refused"] > 500
    assert counts["decoded"] > 100, "mutants that are all refused at the door test little"


@pytest.mark.slow
def test_40000_damaged_files_are_decoded_or_refused_in_words(tmp_path: Path) -> None:
    samples = image_files.samples(tmp_path)
    outcomes(tmp_path, mutants(samples, 2000, seed=5))


def test_vrt_under_every_name_is_refused(tmp_path: Path) -> None:
    for name in ("a.tif", "a.tiff", "a.png", "a.jpg", "a.webp", "a.vrt", "a"):
        path = tmp_path / name
        path.write_bytes(VRT)
        with pytest.raises(SceneError, match="Send a GeoTIFF, PNG, JPEG or WEBP file"):
            decode(path, tmp_path / "out", LIMITS)


def test_a_jpeg_that_is_also_a_vrt_is_only_a_jpeg(tmp_path: Path) -> None:
    secret = image_files.write(tmp_path / "secret.tif", image_files.noise(1, 16, 16), "GTiff")
    vrt = VRT.replace(b"/etc/passwd", str(secret).encode())
    whole = image_files.write(tmp_path / "a.jpg", image_files.smooth(3, 16, 16), "JPEG").read_bytes()
    comment = b"\xff\xfe" + (len(vrt) + 2).to_bytes(2, "big") + vrt
    path = tmp_path / "both.jpg"
    path.write_bytes(whole[:2] + comment + whole[2:])
    found = decode(path, tmp_path / "out", LIMITS)
    assert (found.width, found.height, found.bands) == (16, 16, 3)


def test_damaged_files_over_http_are_problems_and_the_service_lives_on(
    client: TestClient, tmp_path: Path
) -> None:
    samples = image_files.samples(tmp_path)
    declared = client.post("/scenes", json={"width": 48, "height": 48, "sparse": True}).json()["id"]
    for name, content in mutants(samples, 5, seed=6):
        reply = client.put(f"/scenes/{declared}/windows/0,0", content=content)
        check(name, reply)
        form = client.post(
            "/ask", data={"question": "How many airplanes are there?"}, files={"image": content}
        )
        check(name, form)
    for bomb in (image_files.huge_png, image_files.huge_tiff):
        reply = client.put(
            f"/scenes/{declared}/windows/0,0", content=bomb(tmp_path / "bomb", 90_000, 90_000).read_bytes()
        )
        assert reply.status_code == 413, reply.text
        check(bomb.__name__, reply)
    assert client.get("/health").status_code == 200
    whole = samples["png"].read_bytes()
    assert client.put(f"/scenes/{declared}/windows/0,0", content=whole).status_code == 200


def check(name: str, reply) -> None:  # type: ignore[no-untyped-def] # httpx, or what the test client is made of
    """A success, or a problem document that says something."""
    assert reply.status_code < 500, (name, reply.text)
    if reply.status_code >= 400:
        assert reply.headers["content-type"] == "application/problem+json", name
        assert len(reply.json()["detail"]) > 20, name
