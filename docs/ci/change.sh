#!/usr/bin/env bash
# Checks a change: replays the corpus, proves the rules and the objects, and runs a short campaign from a seed. Red only for what the base
# did not have. Usage: change.sh BASE   (a git revision, such as origin/main)
#
# Set what there is, as paths from the root of the repository; what is not set, or not there, is left out:
#   RULES     a rule file            CORPUS    folder of cases
#   OBJECTS   folder of objects      PROGRAMS  programs of the campaign (200)
#   RESULTS   where documents, JUnit and SARIF are written (results)
#   SWANSONG  how swansong is called (npx swansong)       CHECK_ARGS  more options of `rules check`
set -uo pipefail
base=${1:?usage: change.sh BASE}
root=$(git rev-parse --show-toplevel) && cd "$root" || exit 2
read -ra swansong <<< "${SWANSONG:-npx swansong}"
read -ra check_args <<< "${CHECK_ARGS:-}"
results=$(mkdir -p "${RESULTS:-results}" && cd "${RESULTS:-results}" && pwd) || exit 2
format=text; [ "${GITHUB_ACTIONS:-}" = true ] && format=github

# The base beside the change, so that both are judged by the same swansong under the same paths.
before=$(mktemp -d)
trap 'git worktree remove --force "$before/tree" > /dev/null 2>&1; rm -rf "$before"' EXIT
git worktree add --quiet --detach "$before/tree" "$base" || exit 2

red=0
# check NAME NEEDS ARGUMENT...: runs a command on both, if NEEDS is a path that there is (- needs nothing).
check() {
  local name=$1 needs=$2 code; shift 2
  [ "$needs" = - ] || [ -e "$needs" ] || return 0
  # What a campaign finds in the base is not what the change is blamed for.
  local own=() theirs=()
  [ "$name" = fuzz ] && own=(--corpus "$results/findings") theirs=(--corpus "$before/findings")
  local with=(--format "$format,json=$results/$name.json,junit=$results/$name.xml,sarif=$results/$name.sarif${GITHUB_STEP_SUMMARY:+,markdown=$GITHUB_STEP_SUMMARY}")
  # A base that has no such rules or no such corpus yet is no baseline: then all counts.
  if [ "$needs" = - ] || [ -e "$before/tree/$needs" ]; then
    (cd "$before/tree" && "${swansong[@]}" "$@" ${theirs[@]+"${theirs[@]}"} --quiet --format "json=$before/$name.json" 2> /dev/null) > /dev/null
    code=$?
    if [ "$code" != 2 ] && [ -s "$before/$name.json" ]; then with+=(--baseline "$before/$name.json"); fi
  fi
  printf '== %s\n' "$name"
  "${swansong[@]}" "$@" ${own[@]+"${own[@]}"} "${with[@]}"
  code=$?
  [ "$code" = 0 ] || { printf '%s: exit %d\n' "$name" "$code"; red=1; }
}

[ -n "${CORPUS:-}" ] && check replay "$CORPUS" replay "$CORPUS"
[ -n "${RULES:-}" ] && check rules "$RULES" rules check "$RULES" ${check_args[@]+"${check_args[@]}"}
[ -n "${OBJECTS:-}" ] && check prove "$OBJECTS" prove "$OBJECTS" --rules "${RULES:-sound}"
check fuzz "${RULES:--}" fuzz --seed 1 --programs "${PROGRAMS:-200}" --rules "${RULES:-sound}"
exit "$red"
