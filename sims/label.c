/*
 * What a label's address gives: ZPL for a printer, or a page of PDF with the tracking
 * number on it.  Only digits and ids of the simulator's own are printed, so nothing a
 * caller wrote can become a printer command.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sims/carrier.h"
#include "sims/gateway_part.h"
#include "sims/journal.h"

static char *zpl(const char *tracking_code, const char *id)
{
	char *text;

	if (asprintf(&text,
		     "^XA\n^CI28\n^PW812\n^LL1218\n^FO60,80^A0N,40,40^FD%s^FS\n"
		     "^FO60,200^BY3^BCN,200,Y,N,N^FD%s^FS\n^XZ\n",
		     id, tracking_code) < 0)
		abort();
	return text;
}

struct pdf {
	char *text;
	size_t n;
	size_t at[8]; /* where each object begins; the cross-reference table needs it */
	int objects;
};

__attribute__((format(printf, 2, 0))) static void pdf_vadd(struct pdf *p, const char *fmt,
							   va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	p->text = must(realloc(p->text, p->n + (size_t)n + 1));
	p->n += (size_t)vsnprintf(p->text + p->n, (size_t)n + 1, fmt, ap);
}

__attribute__((format(printf, 2, 3))) static void pdf_add(struct pdf *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	pdf_vadd(p, fmt, ap);
	va_end(ap);
}

__attribute__((format(printf, 2, 3))) static void pdf_object(struct pdf *p, const char *fmt, ...)
{
	va_list ap;

	p->at[p->objects++] = p->n;
	pdf_add(p, "%d 0 obj\n", p->objects);
	va_start(ap, fmt);
	pdf_vadd(p, fmt, ap);
	va_end(ap);
	pdf_add(p, "\nendobj\n");
}

static void pdf_end(struct pdf *p)
{
	size_t table = p->n;

	pdf_add(p, "xref\n0 %d\n0000000000 65535 f \n", p->objects + 1);
	for (int i = 0; i < p->objects; i++)
		pdf_add(p, "%010zu 00000 n \n", p->at[i]);
	pdf_add(p, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%zu\n%%%%EOF\n", p->objects + 1,
		table);
}

/* The smallest file ISO 32000-1 allows with one line of text on a 4 by 6 inch page. */
static char *pdf(const char *tracking_code, const char *id)
{
	struct pdf p = {.text = must(strdup("%PDF-1.4\n")), .n = 9};
	char draw[256];

	snprintf(draw, sizeof(draw), "BT /F1 16 Tf 20 380 Td (%s) Tj 0 -30 Td (%s) Tj ET",
		 tracking_code, id);
	pdf_object(&p, "<< /Type /Catalog /Pages 2 0 R >>");
	pdf_object(&p, "<< /Type /Pages /Kids [3 0 R] /Count 1 >>");
	pdf_object(&p,
		   "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 288 432] /Contents 4 0 R "
		   "/Resources << /Font << /F1 5 0 R >> >> >>");
	pdf_object(&p, "<< /Length %zu >>\nstream\n%s\nendstream", strlen(draw), draw);
	pdf_object(&p, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>");
	pdf_end(&p);
	return p.text;
}

char *carrier_label(struct sim *sim, const char *name, const char **ret_type)
{
	const char *dot = strchr(name, '.');
	char id[SIM_ID_SIZE];
	json_t *shipment;
	char *text = NULL;

	if (dot == NULL)
		return NULL;
	snprintf(id, sizeof(id), "%.*s", (int)(dot - name), name);
	shipment = journal_get(sim->carrier, id);
	if (json_is_object(json_object_get(shipment, "postage_label"))) {
		*ret_type = strcmp(dot, ".zpl") == 0 ? "application/zpl" : "application/pdf";
		text = strcmp(dot, ".zpl") == 0 ? zpl(text_in(shipment, "tracking_code"), id)
						: pdf(text_in(shipment, "tracking_code"), id);
	}
	json_decref(shipment);
	return text;
}
