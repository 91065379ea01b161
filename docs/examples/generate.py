# LOOKREEL_URL, LOOKREEL_TOKEN, PRODUCT_ID and PICTURE are set. Needs nothing but Python 3.9.
import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid

URL, TOKEN = os.environ["LOOKREEL_URL"], os.environ["LOOKREEL_TOKEN"]


def api(path, body=None, **headers):
    headers = {"Authorization": f"Bearer {TOKEN}", **{name.replace("_", "-"): text for name, text in headers.items()}}
    request = urllib.request.Request(URL + path, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refused:
        # A problem document: `code` is for programs, `detail` for people.
        problem = json.load(refused)
        sys.exit(f"{problem['code']}: {problem['detail']} {problem.get('errors', '')}")


with open(os.environ["PICTURE"], "rb") as picture:
    image = picture.read()
form = (
    b'--form\r\nContent-Disposition: form-data; name="productId"\r\n\r\n' + os.environ["PRODUCT_ID"].encode()
    + b'\r\n--form\r\nContent-Disposition: form-data; name="image"; filename="worn"\r\n\r\n' + image + b"\r\n--form--\r\n"
)
stored = api("/api/video/tryon-images", form, Content_Type="multipart/form-data; boundary=form")

wanted = {"tryonImageId": stored["tryonImageId"], "settings": {"duration": 3}}
job = api(
    "/api/video/generate",
    json.dumps(wanted).encode(),
    Content_Type="application/json",
    Idempotency_Key=str(uuid.uuid4()),
)

while True:
    status = api(f"/api/video/status/{job['jobId']}")
    if status["status"] == "completed":
        print(status["result"]["urls"]["mp4"])
        break
    if status["status"] == "failed":
        sys.exit(f"{status['errorCode']}: {status['error']}")
    time.sleep(1)
