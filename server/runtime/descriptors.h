/*
 * The protos, as served: an index over a serialized google.protobuf.FileDescriptorSet.
 * Reflection answers from it, validation asks it which fields are text, and a test
 * compares it with the method table.  Built once at start, read-only afterwards.
 */
#ifndef ORDERD_SERVER_DESCRIPTORS_H
#define ORDERD_SERVER_DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/str.h"

struct descriptors;

/* `set` must outlive the index; it is ours, so one that cannot be read is a bug. */
struct descriptors *descriptors_new(const unsigned char *set, size_t size);
void descriptors_free(struct descriptors *d);

/*
 * The serialized FileDescriptorProto of a file, or of the file that defines a symbol; absent: p ==
 * NULL.
 */
struct str descriptors_file(const struct descriptors *d, struct str filename);
struct str descriptors_file_of(const struct descriptors *d, struct str symbol);

bool descriptors_has_message(const struct descriptors *d, struct str name);

/*
 * Is this field of this message (full name) a string?  Generated C calls both string and bytes
 * bytes.
 */
bool descriptors_is_text(const struct descriptors *d, const char *message, uint32_t field);

/* The i-th method of all services; false beyond the last. */
struct descriptors_method {
	char path[160];                 /* "/package.Service/Method" */
	const char *request, *response; /* full names */
	bool client_streams, server_streams;
};

bool descriptors_method(const struct descriptors *d, size_t i, struct descriptors_method *ret);

#endif
