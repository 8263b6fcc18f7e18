# orderd_unit_test(name SOURCES ... [USES ...]): one cmocka program, one ctest of that name with the
# label `unit`.  Unit tests need no server, no network and no root, and take milliseconds.
function(orderd_unit_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES" ${ARGN})
  orderd_program(${name} SOURCES ${ARG_SOURCES} USES ${ARG_USES} pkg_cmocka)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 60)
endfunction()

# orderd_integration_test(name SOURCES ... [USES ...]): likewise; it starts private servers and stops them.
function(orderd_integration_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES" ${ARGN})
  orderd_program(${name} SOURCES ${ARG_SOURCES} USES ${ARG_USES} pkg_cmocka)
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS integration TIMEOUT 300)
endfunction()
