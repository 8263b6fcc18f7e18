#include "server/runtime/reflection.h"

#include <string.h>

#include "grpc/reflection/v1/reflection.pb-c.h"
#include "server/runtime/descriptors.h"
#include "server/runtime/rpc_runtime.h"

typedef Grpc__Reflection__V1__ServerReflectionRequest request;
typedef Grpc__Reflection__V1__ServerReflectionResponse response;
#define ASKED(what)  GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##what
#define ANSWER(what) GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_##what

static struct str text_of(ProtobufCBinaryData b)
{
	return (struct str){(const char *)b.data, b.len};
}

static ProtobufCBinaryData data_of(struct str s)
{
	return (ProtobufCBinaryData){s.n, (uint8_t *)(uintptr_t)s.p}; /* protobuf-c reads it only */
}

static void send_error(struct flow *fl, response *rs, enum err_status code, const char *why)
{
	Grpc__Reflection__V1__ErrorResponse error = GRPC__REFLECTION__V1__ERROR_RESPONSE__INIT;

	error.error_code = (int32_t)code;
	error.error_message = data_of(str_of(why));
	rs->message_response_case = ANSWER(ERROR_RESPONSE);
	rs->error_response = &error;
	rpc_send(fl, &rs->base);
}

static void send_file(struct flow *fl, response *rs, struct str file)
{
	Grpc__Reflection__V1__FileDescriptorResponse files =
		GRPC__REFLECTION__V1__FILE_DESCRIPTOR_RESPONSE__INIT;
	ProtobufCBinaryData bytes = data_of(file);

	if (file.p == NULL) {
		send_error(fl, rs, ERR_STATUS_NOT_FOUND, "no such file or symbol");
		return;
	}
	files.n_file_descriptor_proto = 1;
	files.file_descriptor_proto = &bytes;
	rs->message_response_case = ANSWER(FILE_DESCRIPTOR_RESPONSE);
	rs->file_descriptor_response = &files;
	rpc_send(fl, &rs->base);
}

/* No message of ours can be extended. */
static void send_extension_numbers(struct flow *fl, response *rs, struct str type)
{
	Grpc__Reflection__V1__ExtensionNumberResponse none =
		GRPC__REFLECTION__V1__EXTENSION_NUMBER_RESPONSE__INIT;

	if (!descriptors_has_message(rpc_of(fl)->server->descriptors, type)) {
		send_error(fl, rs, ERR_STATUS_NOT_FOUND, "no such message");
		return;
	}
	none.base_type_name = data_of(type);
	rs->message_response_case = ANSWER(ALL_EXTENSION_NUMBERS_RESPONSE);
	rs->all_extension_numbers_response = &none;
	rpc_send(fl, &rs->base);
}

/* ---- the list of services ---- */

enum { SERVICES_MAX = 64 };

struct services {
	Grpc__Reflection__V1__ServiceResponse one[SERVICES_MAX], *list[SERVICES_MAX];
	size_t n;
};

static void add_service(struct services *ss, const char *path)
{
	struct str name = {path + 1, strcspn(path + 1, "/")};

	for (size_t i = 0; i < ss->n; i++)
		if (str_eq(text_of(ss->one[i].name), name))
			return;
	if (ss->n == SERVICES_MAX)
		return;
	grpc__reflection__v1__service_response__init(&ss->one[ss->n]);
	ss->one[ss->n].name = data_of(name);
	ss->list[ss->n] = &ss->one[ss->n];
	ss->n++;
}

static void send_services(struct flow *fl, response *rs)
{
	Grpc__Reflection__V1__ListServiceResponse list =
		GRPC__REFLECTION__V1__LIST_SERVICE_RESPONSE__INIT;
	const struct rpc_server *s = rpc_of(fl)->server;
	struct services ss;

	ss.n = 0;
	for (size_t i = 0; i < s->n_served; i++)
		if (s->served[i].method != NULL)
			add_service(&ss, s->served[i].method->path);
	list.n_service = ss.n;
	list.service = ss.list;
	rs->message_response_case = ANSWER(LIST_SERVICES_RESPONSE);
	rs->list_services_response = &list;
	rpc_send(fl, &rs->base);
}

/* ---- the stream ---- */

static void on_message(struct flow *fl, const ProtobufCMessage *m)
{
	const struct descriptors *d = rpc_of(fl)->server->descriptors;
	const request *rq = (const request *)(const void *)m;
	response rs = GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__INIT;

	rs.valid_host = rq->host;
	rs.original_request = (request *)(uintptr_t)rq;
	switch ((int)rq->message_request_case) {
	case ASKED(FILE_BY_FILENAME):
		send_file(fl, &rs, descriptors_file(d, text_of(rq->file_by_filename)));
		break;
	case ASKED(FILE_CONTAINING_SYMBOL):
		send_file(fl, &rs, descriptors_file_of(d, text_of(rq->file_containing_symbol)));
		break;
	case ASKED(FILE_CONTAINING_EXTENSION):
		send_error(fl, &rs, ERR_STATUS_NOT_FOUND, "no such extension");
		break;
	case ASKED(ALL_EXTENSION_NUMBERS_OF_TYPE):
		send_extension_numbers(fl, &rs, text_of(rq->all_extension_numbers_of_type));
		break;
	case ASKED(LIST_SERVICES):
		send_services(fl, &rs);
		break;
	default:
		send_error(fl, &rs, ERR_STATUS_INVALID_ARGUMENT, "nothing was asked");
	}
}

static void on_half_close(struct flow *fl)
{
	rpc_end(fl, ERR_OK);
}

static const struct rpc_stream reflection_stream = {.on_message = on_message,
						    .on_half_close = on_half_close};

/* clang-format off */
#define REFLECTION(version) { \
	.path = "/grpc.reflection." version ".ServerReflection/ServerReflectionInfo", \
	.name = "reflection", \
	.kind = RPC_BIDI, \
	.class = RPC_WATCH, \
	.request = &grpc__reflection__v1__server_reflection_request__descriptor, \
	.response = &grpc__reflection__v1__server_reflection_response__descriptor, \
	.stream = &reflection_stream, \
}
/* clang-format on */

const struct rpc_method RPC_REFLECTION = REFLECTION("v1");
const struct rpc_method RPC_REFLECTION_V1ALPHA = REFLECTION("v1alpha");
