#!/usr/bin/env bash
# A night: goes on with the campaign in CAMPAIGN and writes its findings to CORPUS. Nothing else writes there at the same time.
#   RULES     rule sets between commas (sound)   TIME      how long (5h)
#   CAMPAIGN  folder of the campaign (campaign)  CORPUS    folder of cases (corpus)
#   RESULTS   document and summary (results)     SWANSONG  how swansong is called (npx swansong)
# The exit code is that of the campaign: 1 for findings, 3 for what is unknown or was stopped.
set -uo pipefail
read -ra swansong <<< "${SWANSONG:-npx swansong}"
results=${RESULTS:-results} corpus=${CORPUS:-corpus} campaign=${CAMPAIGN:-campaign}
mkdir -p "$results" "$corpus" || exit 2
"${swansong[@]}" fuzz --rules "${RULES:-sound}" --time "${TIME:-5h}" --out "$campaign" --corpus "$corpus" \
  --format "text,json=$results/night.json,junit=$results/night.xml" | tee "$results/night.txt"
code=${PIPESTATUS[0]}
[ -e "$campaign/campaign.json" ] && "${swansong[@]}" report "$campaign" --quiet
{
  printf '## The night: exit %d\n\n```\n' "$code"
  cat "$results/night.txt"
  printf '```\n'
} > "$results/summary.md"
[ -z "${GITHUB_STEP_SUMMARY:-}" ] || cat "$results/summary.md" >> "$GITHUB_STEP_SUMMARY"
exit "$code"
