# FOLDER and NAMES, Lua files with commas between -> OUT, C source with a `const struct script_text script_text_<name>`
# for each: the bytes and their SHA-1, by which EVALSHA names a script.  Run with cmake -P.
string(REPLACE "," ";" NAMES "${NAMES}")
set(c "#include \"core/queue/script.h\"\n")
foreach(name IN LISTS NAMES)
  set(path ${FOLDER}/${name}.lua)
  file(SHA1 ${path} sha)
  file(READ ${path} hex HEX)
  string(LENGTH "${hex}" digits)
  math(EXPR size "${digits} / 2")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
  string(APPEND c "\nstatic const char ${name}[] = {\n${bytes}0};\n"
    "const struct script_text script_text_${name} = {\"${name}\", ${name}, ${size}, \"${sha}\"};\n")
endforeach()
file(WRITE ${OUT} "${c}")
