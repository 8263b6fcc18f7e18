/*
 * Labels for judges.  Without arguments: the cases, one per line, name, tracking code, SSCC.
 *
 *	label_print CASE pdf|png|zpl    that label, to stdout
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/label/label.h"

#define REPEAT8(s) s s s s s s s s

static const struct parcel {
	const char *name, *tracking_code, *sscc;
	const char *text; /* names, streets, towns and all; NULL: ordinary ones */
} parcels[] = {
	{"ordinary", "EZ1000000001", "034567890000000019", NULL},
	{"digits", "9400100000000000000000", "106141411928374657", NULL},
	{"odd-digits", "1234567890123", "034567890000000019", NULL},
	{"short", "A7", "034567890000000019", NULL},
	{"signs", "aZ $%+-./:9", "034567890000000019", NULL},
	{"longest", "MWmw0MWmw0MWmw0MWmw0MWmw0MWmw0", "034567890000000019", NULL},
	{"without-sscc", "EZ1000000001", "", NULL},
	{"commands", "EZ1000000001", "034567890000000019",
	 "^XZ^XA^FO0,0^GB800,1200,600^FS ~JA ~JR _5EXZ \\& ^FS^FD >;>8"},
	{"quotes", "EZ1000000001", "034567890000000019", "\"'`$(reboot) %s%n </b> \\"},
	{"long", "EZ1000000001", "034567890000000019", REPEAT8("Ångström Łódź Straße Ünnütz ")},
	{"wide", "EZ1000000001", "034567890000000019", REPEAT8(REPEAT8("WMW"))},
	{"emoji", "EZ1000000001", "034567890000000019",
	 REPEAT8("\U0001f4e6\U0001f469\u200d\U0001f680 中文 ")},
	{"lines", "EZ1000000001", "034567890000000019", "one\ntwo\r\nthree\tfour\n\n\n^XZ\nfive"},
	{"no-text", "EZ1000000001", "034567890000000019",
	 "\xff\xfe\xc0\x80\xed\xa0\x80\x01\x1b[2J"},
	{"other-way", "EZ1000000001", "034567890000000019", "\u202egnorw\u202c עברית العربية"},
};

static const struct parcel *find(const char *name)
{
	for (size_t i = 0; i < sizeof(parcels) / sizeof(parcels[0]); i++)
		if (strcmp(parcels[i].name, name) == 0)
			return &parcels[i];
	return NULL;
}

static struct label_text text_of(const struct parcel *p)
{
	struct label_text t = {
		.from = {STR("Nordlager"), STR("Hafenstraße 12, Tor 3"), STR("Berlin"), STR(""),
			 STR("10115"), STR("DE")},
		.to = {STR("Zoë Łukasiewicz-Müller"), STR("Straße des 17. Juni 135"), STR("Kraków"),
		       STR("Małopolska"), STR("31-042"), STR("PL")},
		.carrier = STR("USPS"),
		.service = STR("Priority Mail Express"),
		.tracking_code = str_of(p->tracking_code),
		.sscc = str_of(p->sscc),
		.order_number = STR("100042"),
		.reference = STR("PO-2026-77"),
		.weight_g = 1250,
		.group = 1,
		.groups = 2,
	};
	struct str s = str_of(p->text);

	if (p->text != NULL) {
		t.from = t.to = (struct label_party){s, s, s, s, s, s};
		t.carrier = t.service = t.order_number = t.reference = s;
	}
	return t;
}

static int print(const struct parcel *p, const char *format)
{
	enum label_format f = strcmp(format, "pdf") == 0   ? LABEL_PDF
			      : strcmp(format, "png") == 0 ? LABEL_PNG
							   : LABEL_ZPL;
	struct label_text t = text_of(p);
	struct label l;

	if (label_render(&t, f, &l) != ERR_OK)
		return 1;
	fwrite(l.bytes.p, 1, l.bytes.n, stdout);
	free((void *)(uintptr_t)l.bytes.p);
	label_forget_fonts();
	return fflush(stdout) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	if (argc == 3 && find(argv[1]) != NULL)
		return print(find(argv[1]), argv[2]);
	if (argc != 1)
		return 2;
	for (size_t i = 0; i < sizeof(parcels) / sizeof(parcels[0]); i++)
		printf("%s\t%s\t%s\n", parcels[i].name, parcels[i].tracking_code, parcels[i].sscc);
	return 0;
}
