#!/usr/bin/env bash
# ccache for a compiler that CMake calls in the build folder. CMake hands precompiled headers over with -Xclang, past which
# ccache does not look for paths that it could make relative: without this each checkout would compile everything again.
exec ccache "${@/#"$PWD"\//}"
