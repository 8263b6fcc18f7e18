# api/*.proto -> C messages (protoc-c) and the descriptor set that server reflection answers from.
#
# C gets a variant of each proto in which every string carries string_as_bytes: protobuf-c then keeps its length, so an
# embedded NUL cannot cut a text short.  The option stays out of the published files and out of the descriptor set.
find_program(PROTOC protoc REQUIRED)
find_program(PROTOC_C protoc-c REQUIRED)
find_path(PROTOC_INCLUDE google/protobuf/descriptor.proto REQUIRED)
find_path(PROTOC_C_INCLUDE protobuf-c/protobuf-c.proto REQUIRED)
set(ORDERD_PROTO_TOOLS ${CMAKE_CURRENT_LIST_DIR})

# One proto -> one .pb-c.c in the caller's `sources`.
function(_orderd_protoc_c ret_sources proto out includes depends)
  string(REGEX REPLACE "\\.proto$" ".pb-c" stem ${out}/${proto})
  add_custom_command(OUTPUT ${stem}.c ${stem}.h
    COMMAND ${PROTOC_C} ${includes} --c_out=${out} ${proto}
    DEPENDS ${depends}
    WORKING_DIRECTORY ${out}
    COMMENT "protoc-c ${proto}" VERBATIM COMMAND_EXPAND_LISTS)
  set(${ret_sources} ${${ret_sources}} ${stem}.c PARENT_SCOPE)
endfunction()

# orderd_proto(name ROOT dir [BYTES a.proto ...] [PLAIN b.proto ...] [WELL_KNOWN google/protobuf/x.proto ...] [USES ...])
# A library of generated messages; paths are below ROOT.  BYTES have their strings as bytes, PLAIN as char *.
function(orderd_proto name)
  cmake_parse_arguments(ARG "" "ROOT" "BYTES;PLAIN;WELL_KNOWN;USES" ${ARGN})
  set(variant ${CMAKE_CURRENT_BINARY_DIR}/variant)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/c)
  file(MAKE_DIRECTORY ${variant} ${out})
  set(inputs "")
  foreach(proto IN LISTS ARG_BYTES)
    add_custom_command(OUTPUT ${variant}/${proto}
      COMMAND ${CMAKE_COMMAND} -DIN=${ARG_ROOT}/${proto} -DOUT=${variant}/${proto}
              -P ${ORDERD_PROTO_TOOLS}/StringAsBytes.cmake
      DEPENDS ${ARG_ROOT}/${proto} ${ORDERD_PROTO_TOOLS}/StringAsBytes.cmake VERBATIM)
    list(APPEND inputs ${variant}/${proto})
  endforeach()
  foreach(proto IN LISTS ARG_PLAIN)
    list(APPEND inputs ${ARG_ROOT}/${proto})
  endforeach()
  set(includes -I${variant} -I${ARG_ROOT} -I${PROTOC_INCLUDE} -I${PROTOC_C_INCLUDE})
  set(sources "")
  foreach(proto IN LISTS ARG_BYTES ARG_PLAIN ARG_WELL_KNOWN)
    _orderd_protoc_c(sources ${proto} ${out} "${includes}" "${inputs}")
  endforeach()
  orderd_generated(${name} SOURCES ${sources} INCLUDE ${out} USES ${ARG_USES} pkg_protobufc)
endfunction()

# orderd_descriptor_set(name SYMBOL s ROOT dir PROTOS ... [ALSO root protos ...]): a library with `const unsigned char
# s[]` and `const size_t s_size`, the serialized google.protobuf.FileDescriptorSet of all these and what they import.
function(orderd_descriptor_set name)
  cmake_parse_arguments(ARG "" "SYMBOL;ROOT" "PROTOS;ALSO" ${ARGN})
  set(set ${CMAKE_CURRENT_BINARY_DIR}/${ARG_SYMBOL}.desc)
  set(c ${CMAKE_CURRENT_BINARY_DIR}/${ARG_SYMBOL}.c)
  list(TRANSFORM ARG_PROTOS PREPEND ${ARG_ROOT}/ OUTPUT_VARIABLE files)
  set(roots -I${ARG_ROOT})
  if(ARG_ALSO)
    list(POP_FRONT ARG_ALSO also)
    list(APPEND roots -I${also})
    list(APPEND ARG_PROTOS ${ARG_ALSO})
    list(TRANSFORM ARG_ALSO PREPEND ${also}/)
    list(APPEND files ${ARG_ALSO})
  endif()
  add_custom_command(OUTPUT ${set}
    COMMAND ${PROTOC} ${roots} -I${PROTOC_INCLUDE} --include_imports --descriptor_set_out=${set} ${ARG_PROTOS}
    DEPENDS ${files} WORKING_DIRECTORY ${ARG_ROOT} VERBATIM COMMAND_EXPAND_LISTS)
  add_custom_command(OUTPUT ${c}
    COMMAND ${CMAKE_COMMAND} -DIN=${set} -DOUT=${c} -DSYMBOL=${ARG_SYMBOL} -P ${ORDERD_PROTO_TOOLS}/EmbedBytes.cmake
    DEPENDS ${set} ${ORDERD_PROTO_TOOLS}/EmbedBytes.cmake VERBATIM)
  orderd_generated(${name} SOURCES ${c} INCLUDE ${CMAKE_CURRENT_BINARY_DIR})
endfunction()
