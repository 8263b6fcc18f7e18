# IN, a proto file -> OUT, the same with (pb_c_field).string_as_bytes on every string field.  Run with cmake -P.
file(READ ${IN} text)
set(option "(pb_c_field).string_as_bytes = true")
set(field "([\n;{][ \t]*(repeated |optional )?string[ \t]+[a-z0-9_]+[ \t]*=[ \t]*[0-9]+[ \t]*)")
string(REGEX REPLACE "${field}\\[" "\\1[${option}, " text "${text}")
string(REGEX REPLACE "${field};" "\\1[${option}];" text "${text}")
# On the syntax line, so that line numbers in protoc's messages stay true.
string(REGEX REPLACE "(syntax = \"proto[23]\";)" "\\1 import \"protobuf-c/protobuf-c.proto\";" text "${text}")
string(REPLACE ";" "}" countable "${text}") # a semicolon would split a list
string(REGEX MATCHALL "[\n}{][ \t]*(repeated |optional )?string[ \t]+[a-z0-9_]+[ \t]*=" strings "${countable}")
string(REGEX MATCHALL "string_as_bytes" marked "${text}")
list(LENGTH strings n_strings)
list(LENGTH marked n_marked)
if(NOT n_strings EQUAL n_marked)
  message(FATAL_ERROR "${IN}: ${n_strings} string fields, but ${n_marked} marked as bytes")
endif()
file(WRITE ${OUT} "${text}")
