# What every target is built with.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_INTERPROCEDURAL_OPTIMIZATION OFF)
set(BROOK_SANITIZE "" CACHE STRING "Sanitizers for every target, as -fsanitize takes them")
option(BROOK_FUZZ "Build the libFuzzer targets" OFF)

if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
  message(FATAL_ERROR "Brook needs clang 19 or later (g++ 12 miscompiles coroutines): use a CMake preset or ./dev build")
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_SOURCE_DIR}/tools/dev/ccache.sh)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

add_link_options(-fuse-ld=lld)
add_compile_options(-Wall -Wextra -Werror -Wshadow -fno-omit-frame-pointer)
add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wconversion> $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>
                    $<$<COMPILE_LANGUAGE:CXX>:-Wunused>)
# Paths in assertions and debug information are relative, so that ccache serves every checkout and build folder.
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
# A precompiled header has no time in it, so that ccache knows it again (tools/dev/ccache.sh says in which folder).
add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -fno-pch-timestamp>")
if(BROOK_SANITIZE)
  add_compile_options(-fsanitize=${BROOK_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${BROOK_SANITIZE})
endif()
if(BROOK_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()

find_package(Python3 3.11 REQUIRED COMPONENTS Interpreter)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(GTest REQUIRED)
enable_testing()

set(BROOK_GENERATED_DIR ${CMAKE_BINARY_DIR}/generated)
