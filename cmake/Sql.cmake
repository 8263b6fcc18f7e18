# orderd_sql(target QUERIES dir [AUDITS dir] MIGRATIONS dir): a library made by tools/sqlgen from unit kinds, audits and
# migrations.
# Its header is "sql.gen.h"; one program links one such library.
function(orderd_sql target)
  cmake_parse_arguments(ARG "" "QUERIES;AUDITS;MIGRATIONS" "" ${ARGN})
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${target})
  file(MAKE_DIRECTORY ${out})
  file(GLOB_RECURSE inputs CONFIGURE_DEPENDS ${ARG_QUERIES}/*.sql ${ARG_MIGRATIONS}/*.sql)
  set(audits "")
  if(ARG_AUDITS)
    file(GLOB rules CONFIGURE_DEPENDS ${ARG_AUDITS}/*.sql)
    list(APPEND inputs ${rules})
    set(audits --audits=${ARG_AUDITS})
  endif()
  add_custom_command(
    OUTPUT ${out}/sql.gen.h ${out}/sql.gen.c
    # What the tool allocates lives until it ends; the leak checker need not say so.
    COMMAND ${CMAKE_COMMAND} -E env ASAN_OPTIONS=detect_leaks=0 $<TARGET_FILE:sqlgen>
      --queries=${ARG_QUERIES} ${audits} --migrations=${ARG_MIGRATIONS} --header=${out}/sql.gen.h --source=${out}/sql.gen.c
    DEPENDS sqlgen ${inputs}
    COMMENT "SQL -> C: ${target}"
    VERBATIM)
  orderd_generated(${target} SOURCES ${out}/sql.gen.c ${out}/sql.gen.h INCLUDE ${out} USES core_store_engine)
  # The store finds the catalogue by name, so it must be linked even where nothing else of this library is used.
  target_link_options(${target} INTERFACE LINKER:-u,SQL_CATALOGUE)
endfunction()
