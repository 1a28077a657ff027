# Every module's own tests: what a sanitized build is for.
add_custom_target(module_tests)

# What nearly every source includes: parsed once for each library and test program, not for each source. A source
# includes what it uses all the same, and headers are compiled alone, without these.
set(BROOK_COMMON_HEADERS <algorithm> <array> <chrono> <coroutine> <cstddef> <cstdint> <functional> <limits> <map>
                         <memory> <optional> <set> <span> <string> <string_view> <tuple> <utility> <variant> <vector>
                         <fmt/format.h>)

# brook_module(NAME USES module... [LIBRARIES target...] [PRIVATE_LIBRARIES target...] [PRECOMPILE header...])
#
# Declares the library of src/NAME: every .cc below the folder but tests and fakes, every .h as a header that must compile
# alone, and one test program NAME_test from every *_test.cc. USES is the table of allowed includes: tools/checks/layers.py
# reads it from here, so a new edge is written in this one place. LIBRARIES are third-party targets. PRECOMPILE names
# headers that most of the module's sources include and that take long to parse.
# NAME/testing/ holds the module's fakes: library brook_NAME_testing, for tests only.
function(brook_module name)
  cmake_parse_arguments(ARG "" "" "USES;LIBRARIES;PRIVATE_LIBRARIES;GENERATED;PRECOMPILE" ${ARGN})
  set(dir ${CMAKE_SOURCE_DIR}/src/${name})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${dir}/*.cc)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${dir}/*.h)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$|/testing/|/main\\.cc$")
  file(GLOB fakes CONFIGURE_DEPENDS ${dir}/testing/*.cc)
  list(TRANSFORM ARG_USES PREPEND brook_ OUTPUT_VARIABLE uses)

  if(NOT sources AND NOT ARG_GENERATED)
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/empty/${name}.cc CONTENT "// ${name} has headers only so far.\n")
    set(sources ${CMAKE_BINARY_DIR}/empty/${name}.cc)
  endif()
  add_library(brook_${name} STATIC ${sources} ${ARG_GENERATED})
  target_include_directories(brook_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src ${BROOK_GENERATED_DIR})
  target_link_libraries(brook_${name} PUBLIC ${uses} ${ARG_LIBRARIES} fmt::fmt Threads::Threads PRIVATE ${ARG_PRIVATE_LIBRARIES})
  list(TRANSFORM ARG_PRECOMPILE REPLACE "(.+)" "<\\1>")
  target_precompile_headers(brook_${name} PRIVATE ${BROOK_COMMON_HEADERS} ${ARG_PRECOMPILE})
  if(headers)
    target_sources(brook_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR}/src FILES ${headers})
    set_target_properties(brook_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  endif()

  # Wall: the library links alone, every object of it, against what it says it uses.
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/empty/main.cc CONTENT "int main() { return 0; }\n")
  add_executable(${name}_links_alone ${CMAKE_BINARY_DIR}/empty/main.cc)
  target_link_libraries(${name}_links_alone PRIVATE
    -Wl,--whole-archive,$<TARGET_FILE:brook_${name}>,--no-whole-archive
    brook_${name})
  add_dependencies(${name}_links_alone brook_${name})
  add_test(NAME wall.${name}_links_alone COMMAND ${name}_links_alone)

  if(fakes)
    add_library(brook_${name}_testing STATIC ${fakes})
    target_link_libraries(brook_${name}_testing PUBLIC brook_${name} GTest::gtest)
    target_precompile_headers(brook_${name}_testing PRIVATE ${BROOK_COMMON_HEADERS})
  endif()
  if(tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE brook_${name} GTest::gtest GTest::gmock GTest::gtest_main)
    target_precompile_headers(${name}_test PRIVATE ${BROOK_COMMON_HEADERS} <gtest/gtest.h> ${ARG_PRECOMPILE})
    if(fakes)
      target_link_libraries(${name}_test PRIVATE brook_${name}_testing)
    endif()
    foreach(use ${ARG_USES})
      if(TARGET brook_${use}_testing)
        target_link_libraries(${name}_test PRIVATE brook_${use}_testing)
      endif()
    endforeach()
    add_test(NAME ${name} COMMAND ${name}_test)
    add_dependencies(module_tests ${name}_test)
  endif()
endfunction()
