#!/usr/bin/env bash
# ccache for a compiler that CMake calls in the build folder. CMake hands precompiled headers over with -Xclang, past which
# ccache does not look for paths that it could make relative: without this each checkout would compile everything again.
#
# A precompiled header names its sources by their absolute paths, so it belongs to the checkout that made it: it is kept in a
# cache of its folder's own. What is compiled with it depends on the text in it alone, and is every checkout's: a file beside it
# holds a hash of that text, which ccache takes for the header.
set -euo pipefail
export CCACHE_PCH_EXTSUM=true

header='' dependencies=''
previous=''
for argument in "$@"; do
  case $previous in
    -o) header=$argument ;;
    -MF) dependencies=$argument ;;
  esac
  previous=$argument
done

if [[ $header == *.pch && -n $dependencies ]]; then
  CCACHE_NAMESPACE=$PWD ccache "$@"
  # The first word is the target; the lines end with a backslash.
  sed -e '1s/^[^:]*://' -e 's/\\$//' "$dependencies" | xargs cat | sha256sum > "$header.sum"
else
  exec ccache "${@/#"$PWD"\//}"
fi
