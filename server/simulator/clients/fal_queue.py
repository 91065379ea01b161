"""fal's Python client against a simulator: `python fal_queue.py URL`."""

import os
import sys
from urllib.request import urlopen

os.environ["FAL_KEY"] = "key:secret"
os.environ["NO_PROXY"] = "*"

import fal_client
import fal_client.client as module

BASE = sys.argv[1].rstrip("/")
# The client knows its hosts as https only: these are the base URLs it builds on.
module.QUEUE_URL_FORMAT = BASE + "/"
module.RUN_URL_FORMAT = BASE + "/run/"
module.REST_URL = module.CDN_URL = BASE

PIKAFRAMES = "fal-ai/pika/v2.2/pikaframes"
STABLE_VIDEO = "fal-ai/stable-video"


def download(url: str) -> bytes:
    with urlopen(url, timeout=60) as answer:
        return answer.read()


def uploads() -> str:
    photo = download(os.environ["PHOTO_URL"])
    url = fal_client.upload(photo, "image/png", file_name="photo.png")
    assert url.startswith(BASE + "/files/"), url
    assert download(url) == photo
    large = bytes(101 * 1024 * 1024)
    assert download(fal_client.upload(large, "application/octet-stream", file_name="large.bin")) == large
    fallback = fal_client.upload(photo, "image/png", repository="fal")
    assert download(fallback) == photo
    return url


def queue(photo: str) -> None:
    arguments = {"image_urls": [photo, photo], "transitions": [{"duration": 1}]}
    handle = fal_client.submit(PIKAFRAMES, arguments=arguments, start_timeout=60)
    states = [type(event).__name__ for event in handle.iter_events(with_logs=True, interval=0.02)]
    assert states[-1] == "Completed", states
    status = handle.status(with_logs=True)
    assert status.logs and status.metrics["inference_time"] >= 0, status
    assert handle.status().logs is None
    result = handle.get()
    assert download(result["video"]["url"])[4:8] == b"ftyp"
    again = fal_client.SyncClient().get_handle(PIKAFRAMES, handle.request_id)
    for name in ("response_url", "status_url", "cancel_url"):
        assert getattr(again, name) == getattr(handle, name), (again, handle)


def subscription(photo: str) -> None:
    seen: list[str] = []
    result = fal_client.subscribe(
        STABLE_VIDEO,
        arguments={"image_url": photo, "fps": 10, "seed": 3},
        with_logs=True,
        on_queue_update=lambda update: seen.append(type(update).__name__),
    )
    assert result["seed"] == 3 and seen, (result, seen)


def direct(photo: str) -> None:
    result = fal_client.run(
        "fal-ai/fashn/tryon/v1.6", arguments={"model_image": photo, "garment_image": photo, "output_format": "jpeg"}
    )
    assert download(result["images"][0]["url"])[:2] == b"\xff\xd8"


def refusals(photo: str) -> None:
    handle = fal_client.submit(PIKAFRAMES, arguments={"image_urls": [photo]})
    try:
        handle.get()
    except fal_client.FalClientHTTPError as error:
        assert error.status_code == 422 and "sequence_too_short" in error.response.text, error
    else:
        raise AssertionError("one picture is not enough")
    status = handle.status()
    assert status.error_type == "sequence_too_short", status

    waiting = fal_client.submit(STABLE_VIDEO, arguments={"image_url": photo})
    waiting.cancel()
    try:
        waiting.get()
    except fal_client.FalClientHTTPError as error:
        assert error.status_code == 499, error
    else:
        raise AssertionError("a cancelled request has no result")


if __name__ == "__main__":
    uploaded = uploads()
    queue(uploaded)
    subscription(uploaded)
    direct(uploaded)
    refusals(uploaded)
    print("fal's Python client is satisfied")
