"""Google's Python client against a simulator: `python genai_call.py URL`."""

import json
import os
import sys
from urllib.request import Request, urlopen

os.environ["NO_PROXY"] = "*"

from google import genai
from google.genai import errors, types

BASE = sys.argv[1].rstrip("/")
MODEL = "gemini-nano-banana-2.1"
with urlopen(os.environ["PHOTO_URL"], timeout=60) as found:
    PHOTO = found.read()


def client(key: str, version: str | None = None) -> genai.Client:
    return genai.Client(api_key=key, http_options=types.HttpOptions(base_url=BASE, api_version=version))


def ask(asked: genai.Client, size: str = "1K") -> types.GenerateContentResponse:
    return asked.models.generate_content(
        model=MODEL,
        contents=["A woman wears this. Pose B.", types.Part.from_bytes(data=PHOTO, mime_type="image/png")],
        config=types.GenerateContentConfig(
            response_modalities=["TEXT", "IMAGE"],
            image_config=types.ImageConfig(aspect_ratio="3:4", image_size=size),
        ),
    )


def fault(**rule: object) -> None:
    request = Request(BASE + "/faults", json.dumps({"model": MODEL, **rule}).encode(), method="POST")
    with urlopen(request, timeout=60) as answer:
        assert answer.status == 204


def refusal(asked: genai.Client, size: str = "1K") -> errors.APIError:
    try:
        ask(asked, size)
    except errors.APIError as error:
        return error
    raise AssertionError("that should have been refused")


def main() -> None:
    good = client("right")
    for version in (None, "v1", "v1beta"):
        versioned = client("right", version)
        answer = ask(versioned)
        [candidate] = answer.candidates
        assert candidate.finish_reason == types.FinishReason.STOP
        [picture] = [part.inline_data for part in candidate.content.parts if part.inline_data]
        assert picture.mime_type == "image/jpeg" and picture.data[:2] == b"\xff\xd8"
        assert answer.usage_metadata.prompt_token_count > 1000

    fault(fault="moderation")
    assert ask(good).candidates[0].finish_reason == types.FinishReason.IMAGE_SAFETY
    fault(fault="moderation", **{"as": "prompt_feedback", "reason": "BLOCKLIST"})
    assert ask(good).prompt_feedback.block_reason == types.BlockedReason.BLOCKLIST
    fault(fault="moderation", **{"as": "text_only"})
    assert ask(good).text

    bad = client("wrong")
    error = refusal(bad)
    assert error.code == 400 and "API_KEY_INVALID" in str(error), error
    fault(fault="status", status=429)
    error = refusal(good)
    assert error.code == 429 and error.status == "RESOURCE_EXHAUSTED", error
    assert refusal(good, "512").code == 400

    assert good.models.get(model=MODEL).name == f"models/{MODEL}"
    print("Google's Python client is satisfied")


if __name__ == "__main__":
    main()
