# Debian packages, one per component; `./dev package` makes them (preset `package`: prefix /usr, no tests).
#
#	orderd               server: daemons, orderctl, units, man pages
#	liborderd-client0    client: what programs that were linked need
#	liborderd-client-dev client-dev: what linking needs
#	orderd-sim           sim
#
# Who makes a package is its maintainer: DEBFULLNAME and DEBEMAIL, as for Debian's own tools.
set(name $ENV{DEBFULLNAME})
set(email $ENV{DEBEMAIL})
if(NOT name OR NOT email)
  set(name root)
  set(email root@localhost)
endif()
set(CPACK_PACKAGE_CONTACT "${name} <${email}>")
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME orderd)
set(CPACK_PACKAGE_VENDOR orderd)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL server client client-dev)
if(ORDERD_SIM)
  list(APPEND CPACK_COMPONENTS_ALL sim)
endif()
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)

set(so ${PROJECT_VERSION_MAJOR})
set(about "orderd takes orders over gRPC and carries each one to the customer's door:\nentry, payment, stock, picking, packing, \
labels, tracking and mails.\n")

# deb(component package section shortly description DEPENDS ...)
macro(deb component package section shortly description)
  string(TOUPPER ${component} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${package})
  set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${section})
  set(CPACK_DEBIAN_${upper}_DESCRIPTION "${shortly}\n${about}\n${description}")
  set(CPACK_DEBIAN_${upper}_PACKAGE_DEPENDS "${ARGN}")
endmacro()
deb(server orderd net "order service: daemons and command line"
  "This package has the server, its workers and orderctl. They need a PostgreSQL\nand a Redis, here or elsewhere."
  "fonts-dejavu-core, systemd | systemd-standalone-sysusers | systemd-sysusers")
deb(client liborderd-client${so} libs "order service: client library" "This package has the shared library for C programs.")
deb(client-dev liborderd-client-dev libdevel "order service: client library, for development"
  "This package has headers, the static library, the protocol's definition and an\nexample."
  "liborderd-client${so} (= ${PROJECT_VERSION}), libgrpc-dev, libprotobuf-c-dev")
deb(sim orderd-sim net "order service: stand-in for payment gateway and carrier"
  "This package has the simulator, for trials and tests.")
set(CPACK_DEBIAN_SERVER_PACKAGE_SUGGESTS "postgresql (>= 15), redis-server (>= 5:7.0), orderd-sim")
set(scripts ${CMAKE_CURRENT_SOURCE_DIR}/debian)
set(CPACK_DEBIAN_SERVER_PACKAGE_CONTROL_EXTRA
  ${scripts}/server/postinst ${scripts}/server/prerm ${scripts}/server/postrm ${scripts}/server/conffiles)
set(CPACK_DEBIAN_CLIENT_PACKAGE_CONTROL_EXTRA ${scripts}/client/triggers)

# What policy asks of each package and cmake does not make: copyright, changelog, compressed pages.
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_SOURCE_DIR}/debian/finish.cmake)
include(CPack)
