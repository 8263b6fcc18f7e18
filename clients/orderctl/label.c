/*
 * label: a parcel's label into a file.
 */
#include <stdio.h>
#include <string.h>

#include "orderctl.h"

static const struct format {
	const char *name;
	Orderd__V1__LabelFormat format;
} formats[] = {
	{"pdf", ORDERD__V1__LABEL_FORMAT__LABEL_FORMAT_PDF},
	{"png", ORDERD__V1__LABEL_FORMAT__LABEL_FORMAT_PNG},
	{"zpl", ORDERD__V1__LABEL_FORMAT__LABEL_FORMAT_ZPL},
};

static const struct format *format_named(const char *name)
{
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

/* --format, or what the file's name ends in. */
static Orderd__V1__LabelFormat format_of(const struct args *a, const char *file)
{
	const char *name = option(a, "format"), *dot = strrchr(file, '.');
	const struct format *f;

	if (name == NULL && dot == NULL)
		usage_error("--format is required: pdf, png or zpl");
	f = format_named(name != NULL ? name : dot + 1);
	if (f == NULL && name != NULL)
		usage_error("--format is pdf, png or zpl: %s", name);
	if (f == NULL)
		usage_error("--format is required, for this name says none: %s", file);
	return f->format;
}

static bool write_file(const char *file, const ProtobufCBinaryData *content)
{
	FILE *out = strcmp(file, "-") == 0 ? stdout : fopen(file, "wb");
	bool good;

	if (out == NULL) {
		perror(file);
		return false;
	}
	good = fwrite(content->data, 1, content->len, out) == content->len;
	good = (out == stdout ? fflush(out) : fclose(out)) == 0 && good;
	if (!good)
		perror(file);
	return good;
}

static void print_written(const char *file, const Orderd__V1__GetLabelResponse *rs)
{
	printf("%s: %.*s, %zu bytes, tracking %.*s", file, (int)rs->media_type.len,
	       rs->media_type.data, rs->content.len, (int)rs->tracking_code.len,
	       rs->tracking_code.data);
	if (rs->sscc.len > 0)
		printf(", SSCC %.*s", (int)rs->sscc.len, rs->sscc.data);
	putchar('\n');
}

/* What the response says beside the label itself, which is in the file. */
static void print_metadata(const Orderd__V1__GetLabelResponse *rs)
{
	Orderd__V1__GetLabelResponse rest = *rs;

	rest.content = (ProtobufCBinaryData){0, NULL};
	print_json(&rest.base);
}

static int run_label(struct args *a)
{
	Orderd__V1__GetLabelRequest rq = ORDERD__V1__GET_LABEL_REQUEST__INIT;
	const char *file = need(a, "out");
	Orderd__V1__GetLabelResponse *rs;
	struct orderd_error e;
	int code = 0;

	rq.shipment_id = text(word(a, 0, "the shipment's id"));
	rq.format = format_of(a, file);
	if (a->json && strcmp(file, "-") == 0)
		usage_error("--json and the label cannot both go to stdout");
	rs = orderd_get_label(a->client, &rq, a->deadline_ms, &e);
	if (rs == NULL)
		return print_error(a, &e);
	if (!write_file(file, &rs->content))
		code = EXIT_REFUSED;
	else if (a->json)
		print_metadata(rs);
	else if (strcmp(file, "-") != 0)
		print_written(file, rs);
	protobuf_c_message_free_unpacked(&rs->base, NULL);
	return code;
}

const struct command label_commands[] = {
	{NULL, "label", "--out FILE [--format pdf|png|zpl] SHIPMENT", 1,
	 "a parcel's label, to print; the format is what FILE ends in, \"-\" is stdout", run_label},
	{NULL, NULL, NULL, 0, NULL, NULL},
};
