#!/usr/bin/env bash
# LOOKREEL_URL, LOOKREEL_TOKEN, PRODUCT_ID and PICTURE are set.
set -euo pipefail
api() {
  local answer
  answer="$(curl --silent --show-error --fail-with-body --header "Authorization: Bearer $LOOKREEL_TOKEN" "$@")" ||
    { echo "$answer" >&2; return 1; }
  echo "$answer"
}
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

image="$(api --form "productId=$PRODUCT_ID" --form "image=@$PICTURE" "$LOOKREEL_URL/api/video/tryon-images" |
  field tryonImageId)"

job="$(api --header 'Content-Type: application/json' --header "Idempotency-Key: order-$image" \
  --data "{\"tryonImageId\": \"$image\", \"settings\": {\"duration\": 3}}" "$LOOKREEL_URL/api/video/generate" |
  field jobId)"

while :; do
  status="$(api "$LOOKREEL_URL/api/video/status/$job")"
  case "$(echo "$status" | field status)" in
    completed) break ;;
    failed) echo "$status" >&2; exit 1 ;;
  esac
  sleep 1
done
echo "$status" | field mp4
