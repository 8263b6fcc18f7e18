# Where things go when they are installed.  With the prefix /usr settings are in /etc, as the FHS wants it; elsewhere
# everything stays below the prefix.
set(ORDERD_INSTALL_INCLUDEDIR ${CMAKE_INSTALL_INCLUDEDIR}/orderd-client) # in front of nobody's google/protobuf
set(ORDERD_INSTALL_ETCDIR ${CMAKE_INSTALL_SYSCONFDIR}/orderd)
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(ORDERD_INSTALL_ETCDIR /etc/orderd)
endif()
get_filename_component(ORDERD_ETCDIR ${ORDERD_INSTALL_ETCDIR} ABSOLUTE BASE_DIR ${CMAKE_INSTALL_PREFIX})

# orderd_installed_output(FILE name DESTINATION dir COMPONENT c COMMAND program [arguments]): what a program of this
# build prints about itself becomes a file, made with everything else: a page of man, a completion, a sample.
function(orderd_installed_output)
  cmake_parse_arguments(ARG "" "FILE;DESTINATION;COMPONENT" "COMMAND" ${ARGN})
  set(out ${PROJECT_BINARY_DIR}/packaging/${ARG_FILE})
  list(GET ARG_COMMAND 0 program)
  add_custom_command(OUTPUT ${out} COMMAND ${ARG_COMMAND} > ${out} DEPENDS ${program} VERBATIM)
  string(REPLACE "/" "_" target installed_${ARG_FILE})
  add_custom_target(${target} ALL DEPENDS ${out})
  install(FILES ${out} DESTINATION ${ARG_DESTINATION} COMPONENT ${ARG_COMPONENT})
endfunction()
