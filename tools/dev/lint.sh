help() {
  cat <<'TEXT'
usage: ./dev lint [--all] [--since COMMIT]

The include layers, the bans, formatting, headers that compile alone, then clang-tidy over the .cc files that differ from COMMIT
(default: where this branch left main, or the last commit), or over --all.
TEXT
}

changed_sources() {
  local since=$1
  { git diff --name-only "$since" -- 'src/*.cc'; git ls-files --others --exclude-standard -- 'src/*.cc'; } |
    sort -u | while read -r file; do [[ -e $file ]] && echo "$file"; done
}

tidy() {
  printf '%s\n' "$@" | xargs -P "$(jobs)" -n 1 clang-tidy-19 -p build/release --quiet --warnings-as-errors='*'
}

main() {
  local all= since= failed=0
  while (($#)); do
    case "$1" in
      -h | --help) help; return 0 ;;
      --all) all=1; shift ;;
      --since) needs_value "$1" $#; since=$2; shift 2
        git rev-parse --verify --quiet "$since^{commit}" > /dev/null || die_usage "--since: git knows no commit '$since'" ;;
      *) die_usage "lint does not know '$1'; see ./dev lint --help" ;;
    esac
  done
  install_packages
  if [[ -z $since ]]; then since=$(git merge-base HEAD main 2> /dev/null || echo HEAD); fi
  step "include layers" lint-layers python3 tools/checks/layers.py || failed=1
  step "bans" lint-bans python3 tools/checks/bans.py || failed=1
  step "honoured settings" lint-honoured python3 tools/checks/honoured.py || failed=1
  step "formatting" lint-format ./dev format --check || failed=1
  configure release || exit 1
  build_targets release all_verify_interface_header_sets || failed=1
  local files
  if [[ -n $all ]]; then mapfile -t files < <(git ls-files -- 'src/*.cc'); else mapfile -t files < <(changed_sources "$since"); fi
  if ((${#files[@]})); then
    step "clang-tidy over ${#files[@]} files" lint-tidy tidy "${files[@]}" || failed=1
  else
    echo "clang-tidy: no .cc file differs from $(git rev-parse --short "$since")"
  fi
  return "$failed"
}
