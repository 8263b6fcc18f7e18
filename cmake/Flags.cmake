# How every target of ours is compiled.  Generated code gets the standard, not the warnings.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON) # gnu17: POSIX and GNU interfaces are used on purpose
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
add_compile_definitions(_GNU_SOURCE)

# Assertions stay on in release: they are for our mistakes, and a server that goes on after one is worse.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
string(REPLACE "-O3" "-O2" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
string(APPEND CMAKE_C_FLAGS_RELEASE " -g")

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(orderd_flags INTERFACE)
target_compile_options(orderd_flags INTERFACE
  -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
  -Wformat=2 -Wvla -Wundef -Wpointer-arith -Wwrite-strings -Wswitch-enum -Wimplicit-fallthrough
  -Wno-switch-default
  -Wno-missing-field-initializers # a table's row says what it has; the rest is zero
  $<$<BOOL:${ORDERD_WERROR}>:-Werror>)

set(_sanitize "")
if(ORDERD_SANITIZE)
  set(_sanitize -fsanitize=${ORDERD_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
endif()
if(ORDERD_COVERAGE)
  list(APPEND _sanitize --coverage -fprofile-update=atomic) # threads count too; torn counters turn negative
endif()
if(ORDERD_FUZZ)
  # what the fuzzer steers by; the targets alone link its main()
  list(APPEND _sanitize -fsanitize=fuzzer-no-link)
endif()
add_compile_options(${_sanitize})
add_link_options(${_sanitize})

if(ORDERD_HARDEN)
  # OpenSSF compiler hardening guide for C, as far as gcc 12 and clang 14 go.
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection
    -fcf-protection=full -fno-delete-null-pointer-checks -fno-strict-overflow -fno-strict-aliasing)
  if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wtrampolines -ftrivial-auto-var-init=zero)
  endif()
  add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed)
  add_link_options($<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-pie>)
endif()

# orderd_library(name SOURCES ... [USES ...] [HIDES ...]): one layer, one static library.
# USES are layers and libraries whose headers its own headers need; HIDES are for its .c files alone.
function(orderd_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;HIDES" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${ARG_USES} PRIVATE orderd_flags ${ARG_HIDES})
endfunction()

function(orderd_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE orderd_flags ${ARG_USES})
endfunction()

# Code made by a generator: compiled as C17, reached as a library, not held to our warnings.
function(orderd_generated name)
  cmake_parse_arguments(ARG "" "INCLUDE" "SOURCES;USES" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} SYSTEM PUBLIC ${ARG_INCLUDE})
  target_link_libraries(${name} PUBLIC ${ARG_USES})
  target_compile_options(${name} PRIVATE -w)
endfunction()
