# What every target of the project is compiled with, in one place.

add_library(hearth_options INTERFACE)
target_include_directories(hearth_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(hearth_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wcast-qual -Wnon-virtual-dtor -Woverloaded-virtual
  # a*b+c is rounded twice unless the code says fma: results must not depend on the ISA a file is built for
  -ffp-contract=off
  # what holds others together, tests and commands, would take longer to optimise than it runs; with so little of it gcc 12 sees
  # std::string written past its end
  $<$<BOOL:$<TARGET_PROPERTY:HEARTH_IS_GLUE>>:-O1>
  $<$<AND:$<BOOL:$<TARGET_PROPERTY:HEARTH_IS_GLUE>>,$<CXX_COMPILER_ID:GNU>>:-Wno-array-bounds>
  $<$<AND:$<BOOL:$<TARGET_PROPERTY:HEARTH_IS_GLUE>>,$<CXX_COMPILER_ID:GNU>>:-Wno-stringop-overflow>
  # gcc 12 sees overlaps in std::string operator+ that are not there (its bug 105329)
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  $<$<BOOL:${HEARTH_WERROR}>:-Werror>)
if(HEARTH_SANITIZE)
  target_compile_options(hearth_options INTERFACE
    -fsanitize=${HEARTH_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer
    $<IF:$<BOOL:$<TARGET_PROPERTY:HEARTH_IS_GLUE>>,-O0,-O1>
    -g1 # lines for the reports; full debug information takes a third of the build's time
    # instrumented code of the standard library's <regex> and <functional> looks uninitialised to g++ 12
    $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(hearth_options INTERFACE -fsanitize=${HEARTH_SANITIZE})
  if(HEARTH_FUZZ)
    target_compile_options(hearth_options INTERFACE -fsanitize=fuzzer-no-link)
  endif()
endif()

# Headers that take seconds to read, read once for all tests: hearth_test_headers is their owner.
function(hearth_test_headers)
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/headers.cpp CONTENT "")
  add_library(hearth_test_headers OBJECT ${CMAKE_CURRENT_BINARY_DIR}/headers.cpp)
  set_target_properties(hearth_test_headers PROPERTIES HEARTH_IS_GLUE ON)
  target_link_libraries(hearth_test_headers PRIVATE hearth_options GTest::gmock GTest::gtest)
  target_precompile_headers(hearth_test_headers PRIVATE
    <gmock/gmock.h> <gtest/gtest.h> <algorithm> <cmath> <cstdint> <functional> <memory> <random> <span> <string> <vector>)
endfunction()

# hearth_library(NAME SOURCES file... DEPS target...)
# A folder's static library `hearth_NAME`. Without sources it is an interface library.
function(hearth_library NAME)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  if(ARG_SOURCES)
    add_library(hearth_${NAME} STATIC ${ARG_SOURCES})
    target_link_libraries(hearth_${NAME} PUBLIC hearth_options ${ARG_DEPS})
  else()
    add_library(hearth_${NAME} INTERFACE)
    target_link_libraries(hearth_${NAME} INTERFACE hearth_options ${ARG_DEPS})
  endif()
endfunction()

# hearth_test(NAME [LABEL label] [PATHS] [ALONE] [TOGETHER name=filter...] SOURCES file... DEPS target...)
# One GoogleTest program, `test_NAME`; every case in it is a ctest of its own, but for those that a filter of TOGETHER names: they
# are one, in one process, which shares what takes long to make. Such a one is skipped where its output says "is skipped as a whole". With PATHS its sources see
# HEARTH_SOURCE_DIR, HEARTH_SHARED_DIR and HEARTH_PROGRAM (without it a compiler cache can serve every checkout). ALONE: it measures, and no other test runs beside it.
function(hearth_test NAME)
  cmake_parse_arguments(ARG "PATHS;ALONE" "LABEL" "TOGETHER;SOURCES;DEPS" ${ARGN})
  if(NOT ARG_SOURCES)
    return()
  endif()
  if(NOT ARG_LABEL)
    set(ARG_LABEL unit)
  endif()
  add_executable(test_${NAME} ${ARG_SOURCES})
  target_link_libraries(test_${NAME} PRIVATE hearth_options ${ARG_DEPS} GTest::gmock GTest::gtest_main)
  set_target_properties(test_${NAME} PROPERTIES HEARTH_IS_GLUE ON)
  target_precompile_headers(test_${NAME} REUSE_FROM hearth_test_headers)
  if(ARG_PATHS)
    target_compile_definitions(test_${NAME} PRIVATE
      HEARTH_SOURCE_DIR="${CMAKE_SOURCE_DIR}" HEARTH_SHARED_DIR="${HEARTH_SHARED_DIR}"
      HEARTH_PROGRAM="$<TARGET_FILE:hearth>")
    add_dependencies(test_${NAME} hearth)
  endif()
  set(environment "")
  if(HEARTH_SANITIZE)
    set(environment ENVIRONMENT "LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/leaks_of_others:print_suppressions=0")
  endif()
  set(alone "")
  foreach(group IN LISTS ARG_TOGETHER)
    string(REGEX MATCH "^([^=]+)=(.+)$" matched "${group}")
    add_test(NAME ${NAME}/${CMAKE_MATCH_1} COMMAND test_${NAME} --gtest_filter=${CMAKE_MATCH_2})
    set_tests_properties(${NAME}/${CMAKE_MATCH_1} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT 600
      SKIP_REGULAR_EXPRESSION "is skipped as a whole" ${environment})
    string(APPEND alone ":${CMAKE_MATCH_2}")
  endforeach()
  string(REGEX REPLACE "^:" "*-" alone "${alone}")
  gtest_discover_tests(test_${NAME} TEST_PREFIX "${NAME}/" DISCOVERY_TIMEOUT 60 TEST_FILTER "${alone}"
    PROPERTIES LABELS ${ARG_LABEL} TIMEOUT 600 RUN_SERIAL ${ARG_ALONE} ${environment})
endfunction()

# hearth_fuzzer(NAME DEPS target...): libFuzzer program `fuzz_NAME` from fuzz_NAME.cpp.
function(hearth_fuzzer NAME)
  cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
  add_executable(fuzz_${NAME} fuzz_${NAME}.cpp)
  target_link_libraries(fuzz_${NAME} PRIVATE hearth_options ${ARG_DEPS})
  target_link_options(fuzz_${NAME} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzzers fuzz_${NAME})
endfunction()

# hearth_benchmark(NAME [SOURCES file...] DEPS target...): Google Benchmark program `bench_NAME` from bench_NAME.cpp
# and further sources.
function(hearth_benchmark NAME)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(bench_${NAME} bench_${NAME}.cpp ${ARG_SOURCES})
  target_link_libraries(bench_${NAME} PRIVATE hearth_options ${ARG_DEPS} benchmark::benchmark)
endfunction()
