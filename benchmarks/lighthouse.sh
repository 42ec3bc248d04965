#!/bin/sh
# Lighthouse's four scores for the front page and an article of a running blog.
#
#     make run &                                 # or any blog
#     benchmarks/lighthouse.sh [http://127.0.0.1:8000] [/posts/reciprocal-relationships/]
#
# Needs Node with npx, and Chromium. Exit status 1 when a score is below 100.
set -eu

site=${1:-http://127.0.0.1:8000}
article=${2:-/posts/reciprocal-relationships/}
CHROME_PATH=${CHROME_PATH:-$(command -v chromium || command -v google-chrome-stable || command -v google-chrome)}
export CHROME_PATH
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
status=0

for path in / "$article"; do
    for form in mobile desktop; do
        preset=$([ "$form" = desktop ] && echo --preset=desktop || true)
        npx --yes lighthouse@12 "$site$path" $preset --quiet --output=json --output-path="$folder/report.json" \
            --chrome-flags="--headless=new --no-sandbox" 2>"$folder/log" || { cat "$folder/log" >&2; exit 1; }
        python3 - "$folder/report.json" "$form" "$path" <<'PYTHON' || status=1
import json, sys

report = json.load(open(sys.argv[1]))
scores = {name: round(100 * (found["score"] or 0)) for name, found in report["categories"].items()}
print(f"{sys.argv[2]:8} {sys.argv[3]}")
for name, score in scores.items():
    print(f"  {name:16} {score}")
    for part in report["categories"][name]["auditRefs"]:
        audit = report["audits"][part["id"]]
        if part["weight"] and audit["score"] is not None and audit["score"] < 0.9:
            print(f"    {audit['title']} {audit.get('displayValue', '')}")
sys.exit(min(scores.values()) < 100)
PYTHON
    done
done
exit $status
