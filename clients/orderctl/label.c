/*
 * label: a parcel's label into a file.
 */
#include <stdio.h>
#include <string.h>

#include "enums.h"
#include "orderctl.h"

/* --format, or what the file's name ends in. */
static Orderd__V1__LabelFormat format_of(const struct args *a, const char *file)
{
	const ProtobufCEnumDescriptor *d = &orderd__v1__label_format__descriptor;
	const char *dot = strrchr(file, '.');
	int format = enum_option(a, "format", d);

	if (format == 0 && (dot == NULL || !enum_value(d, dot + 1, &format) || format == 0))
		usage_error("--format is required, for this name says none: %s", file);
	return (Orderd__V1__LabelFormat)format;
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

	rq.shipment_id = text(a->words[0]);
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
	done_with(&rs->base);
	return code;
}

static const struct meaning label_options[] = {
	{"out", "the file to write; - is standard output"},
	{"format", "by default what the file's name ends in"},
	{NULL, NULL},
};

const struct command label_commands[] = {
	{NULL, "label", "--out FILE [--format LABEL_FORMAT] SHIPMENT", 1,
	 "a parcel's label, to print", run_label, .options = label_options,
	 .about = "Write a parcel's label into a file, in the format that the file's name ends in: "
		  ".pdf, .png (300 dpi) or .zpl (Zebra's language, 203 dpi).",
	 .examples = "  orderctl label 0190a3c2-7f3e-7cc1-a1a0-3d2f7a1b9c55 --out label.pdf\n"
		     "  orderctl label 0190a3c2-7f3e-7cc1-a1a0-3d2f7a1b9c55 --out - --format zpl | "
		     "lp\n"},
	{NULL, NULL, NULL, 0, NULL, NULL},
};
