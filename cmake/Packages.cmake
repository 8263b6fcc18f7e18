# Everything comes from the distribution; nothing is downloaded by a build.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
foreach(pair IN ITEMS uv=libuv hiredis=hiredis pq=libpq curl=libcurl mhd=libmicrohttpd crypto=libcrypto
                      jansson=jansson protobufc=libprotobuf-c cairo=cairo-pdf
                      fontconfig=fontconfig)
  string(REPLACE "=" ";" pair ${pair})
  list(GET pair 0 name)
  list(GET pair 1 module)
  pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${module})
  add_library(pkg_${name} ALIAS PkgConfig::${name})
endforeach()

# pkg-config's answer for gRPC names a hundred absl libraries nobody here calls.
find_library(GRPC_LIBRARY grpc REQUIRED)
find_library(GPR_LIBRARY gpr REQUIRED)
add_library(pkg_grpc INTERFACE)
target_link_libraries(pkg_grpc INTERFACE ${GRPC_LIBRARY} ${GPR_LIBRARY} Threads::Threads)

# Debian's zint comes without a pkg-config file.
find_library(ZINT_LIBRARY zint REQUIRED)
find_path(ZINT_INCLUDE zint.h REQUIRED)
add_library(pkg_zint INTERFACE)
target_link_libraries(pkg_zint INTERFACE ${ZINT_LIBRARY})
target_include_directories(pkg_zint SYSTEM INTERFACE ${ZINT_INCLUDE})

if(ORDERD_TESTS)
  pkg_check_modules(cmocka REQUIRED IMPORTED_TARGET cmocka)
  add_library(pkg_cmocka ALIAS PkgConfig::cmocka)
endif()
