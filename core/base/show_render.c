/*
 * A table as JSON and as text.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/show.h"

static FILE *open_text(char **text, size_t *n)
{
	FILE *out = open_memstream(text, n);

	if (out == NULL)
		abort(); /* the heap is exhausted */
	return out;
}

static void close_text(FILE *out)
{
	if (fclose(out) != 0)
		abort(); /* the only thing that can fail here is the heap */
}

/* ---- JSON ---- */

/* Cells hold no control characters, names and numbers none either: RFC 8259 leaves these two. */
static void print_quoted(FILE *out, const char *z)
{
	(void)fputc('"', out);
	for (; *z != '\0'; z++) {
		if (*z == '"' || *z == '\\')
			(void)fputc('\\', out);
		(void)fputc(*z, out);
	}
	(void)fputc('"', out);
}

static void print_process(FILE *out, const struct show_board *b)
{
	char text[ID_TEXT_SIZE];

	(void)fprintf(out,
		      "\"process\":{\"program\":\"%s\",\"version\":\"%s\",\"pid\":%ld,"
		      "\"incarnation\":\"%s\",\"uptime_ms\":%" PRId64 "}",
		      b->program, show_program_version(), (long)getpid(),
		      id_format(b->incarnation, text), (clock_mono_us() - b->started_us) / 1000);
}

static void print_cell(FILE *out, const struct show_cell *c)
{
	if (c->kind == SHOW_NOTHING)
		(void)fputs("null", out);
	else if (c->kind == SHOW_INT)
		(void)fprintf(out, "%" PRId64, c->number);
	else
		print_quoted(out, c->text);
}

static void print_row(FILE *out, const struct show *s, size_t row)
{
	for (size_t c = 0; c < s->n_columns; c++) {
		(void)fputc(c == 0 ? '{' : ',', out);
		print_quoted(out, s->columns[c]);
		(void)fputc(':', out);
		print_cell(out, show_cell(s, row, c));
	}
	(void)fputc('}', out);
}

char *show_render_json(const struct show *s, size_t *ret_n)
{
	char *text = NULL;
	FILE *out = open_text(&text, ret_n);

	(void)fputc('{', out);
	print_process(out, s->board);
	(void)fprintf(out, ",\"view\":\"%s\",\"truncated\":%s,\"columns\":[", show_name(s->view),
		      s->truncated ? "true" : "false");
	for (size_t c = 0; c < s->n_columns; c++) {
		(void)fputs(c > 0 ? "," : "", out);
		print_quoted(out, s->columns[c]);
	}
	(void)fputs("],\"rows\":[", out);
	for (size_t r = 0; r < show_rows(s); r++) {
		(void)fputs(r > 0 ? ",\n" : "\n", out);
		print_row(out, s, r);
	}
	(void)fputs("]}\n", out);
	close_text(out);
	return text;
}

/* ---- text ---- */

/* Characters of UTF-8: the bytes that begin one. */
static size_t characters(const char *z)
{
	size_t n = 0;

	for (; *z != '\0'; z++)
		n += ((unsigned char)*z & 0xc0) != 0x80;
	return n;
}

/* What a cell reads as; `number` is where figures are written. */
static const char *words_of(const struct show_cell *c, char number[24])
{
	if (c->kind == SHOW_NOTHING || (c->kind == SHOW_TEXT && c->text[0] == '\0'))
		return "-";
	if (c->kind == SHOW_TEXT)
		return c->text;
	(void)snprintf(number, 24, "%" PRId64, c->number);
	return number;
}

static void measure(const struct show *s, size_t width[SHOW_COLUMNS_MAX])
{
	char number[24];

	for (size_t c = 0; c < s->n_columns; c++) {
		width[c] = characters(s->columns[c]);
		for (size_t r = 0; r < show_rows(s); r++) {
			size_t n = characters(words_of(show_cell(s, r, c), number));

			if (n > width[c])
				width[c] = n;
		}
	}
}

static void print_padded(FILE *out, const struct show *s, size_t column, size_t width,
			 const char *words)
{
	int blanks = (int)(width - characters(words));
	bool last = column == s->n_columns - 1;

	if (s->figures[column])
		(void)fprintf(out, "%*s%s", blanks, "", words);
	else
		(void)fprintf(out, "%s%*s", words, last ? 0 : blanks, "");
	(void)fputs(last ? "\n" : "  ", out);
}

char *show_render_text(const struct show *s, size_t *ret_n)
{
	size_t width[SHOW_COLUMNS_MAX] = {0};
	char number[24], *text = NULL;
	FILE *out = open_text(&text, ret_n);

	measure(s, width);
	for (size_t c = 0; c < s->n_columns; c++)
		print_padded(out, s, c, width[c], s->columns[c]);
	for (size_t r = 0; r < show_rows(s); r++)
		for (size_t c = 0; c < s->n_columns; c++)
			print_padded(out, s, c, width[c], words_of(show_cell(s, r, c), number));
	if (s->truncated)
		(void)fprintf(out, "cut after %zu rows: there are more\n", show_rows(s));
	close_text(out);
	return text;
}
