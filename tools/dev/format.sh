help() {
  cat <<'TEXT'
usage: ./dev format [--check] [FILE...]

Formats the C++ sources (or only the files given) with clang-format 19. --check changes nothing and fails where something would change.
TEXT
}

main() {
  local check=
  while (($#)); do
    case "$1" in
      -h | --help) help; return 0 ;;
      --check) check=1; shift ;;
      -*) die_usage "format knows no option '$1'; see ./dev format --help" ;;
      *) break ;;
    esac
  done
  local file
  for file in "$@"; do [[ -f $file ]] || die_usage "there is no file '$file'"; done
  command -v clang-format-19 > /dev/null || install_packages
  local files=("$@")
  if ((${#files[@]} == 0)); then mapfile -t files < <(cxx_sources); fi
  ((${#files[@]})) || die "no source was found"
  if [[ -n $check ]]; then
    clang-format-19 --dry-run --Werror "${files[@]}" || die "not formatted; ./dev format does it"
  else
    clang-format-19 -i "${files[@]}"
  fi
}
