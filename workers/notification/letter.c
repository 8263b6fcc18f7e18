#include "workers/notification/letter.h"

#include <inttypes.h>
#include <string.h>

#include "core/base/template.h"
#include "core/domain/money.h"
#include "workers/notification/template_table.h"

struct file {
	const unsigned char *p;
	const size_t *n;
};

struct words {
	const char *name;
	struct file subject, text, html;
};

#define DECLARE(file)                             \
	extern const unsigned char mail_##file[]; \
	extern const size_t mail_##file##_size;
#define FILE_OF(file)                            \
	{                                        \
		mail_##file, &mail_##file##_size \
	}
#define X(name)                 \
	DECLARE(name##_subject) \
	DECLARE(name##_txt)     \
	DECLARE(name##_html)
MAIL_TEMPLATE_TABLE(X)
DECLARE(frame_txt)
DECLARE(frame_html)
DECLARE(goods_txt)
DECLARE(goods_html)
#undef X

#define X(name) {#name, FILE_OF(name##_subject), FILE_OF(name##_txt), FILE_OF(name##_html)},
static const struct words all_words[] = {MAIL_TEMPLATE_TABLE(X)};
#undef X

static const struct file frame_text = FILE_OF(frame_txt), frame_html = FILE_OF(frame_html);
static const struct file goods_text = FILE_OF(goods_txt), goods_html = FILE_OF(goods_html);

/* What every template may name.  The last ones hold what was rendered before. */
enum value {
	V_SHOP,
	V_NAME,
	V_ORDER_NUMBER,
	V_TOTAL,
	V_PARTLY,
	V_EXPIRED,
	V_REJECTED,
	V_DECLINED,
	V_ACTION,
	V_CARRIER,
	V_TRACKING_CODE,
	V_TRACKING_URL,
	V_ACTION_URL,
	V_LISTED,
	V_LINES,
	V_MORE,
	V_SUBJECT,
	V_BODY,
	V_GOODS,
	VALUES
};

struct writing {
	const struct letter_facts *f;
	struct arena *arena;
	struct template_value values[VALUES];
	struct template_table table;
	const char *why; /* not NULL: it went wrong */
};

/* ---- facts as values ---- */

static struct template_value text(const char *name, struct str s)
{
	return (struct template_value){name, .kind = TEMPLATE_TEXT, .text = s};
}

static struct template_value flag(const char *name, bool set)
{
	return (struct template_value){name, .kind = TEMPLATE_FLAG, .flag = set};
}

static struct str decimal(struct arena *a, int64_t n)
{
	return str_of(arena_printf(a, "%" PRId64, n));
}

static struct str amount(struct arena *a, struct str currency, int64_t unit_minor, int64_t times)
{
	char buf[MONEY_TEXT_SIZE];
	struct money m;

	if (!money_of(currency, unit_minor, &m) || !money_times(m, times, &m))
		return STR("");
	return str_of(arena_printf(a, "%s", money_format(m, buf)));
}

/* A carrier's or a bank's word becomes something to click on. */
static struct str web_only(struct str url)
{
	bool web = (url.n > 8 && memcmp(url.p, "https://", 8) == 0) ||
		   (url.n > 7 && memcmp(url.p, "http://", 7) == 0);

	return web && str_is_text(url) ? url : STR("");
}

static struct str shortened(struct arena *a, struct str s)
{
	size_t n = 0, more;

	if (s.n <= LETTER_TITLE_MAX)
		return s;
	while ((more = str_char_length((struct str){s.p + n, s.n - n})) > 0 &&
	       n + more <= LETTER_TITLE_MAX)
		n += more;
	return str_of(arena_printf(a, "%.*s...", (int)n, s.p));
}

static struct template_table line_table(struct writing *w, const struct letter_line *l)
{
	struct template_value *v = arena_array(w->arena, 4, sizeof(*v));
	struct str item = shortened(w->arena, l->title.n > 0 ? l->title : l->sku);

	if (v == NULL)
		return (struct template_table){NULL, 0};
	v[0] = text("item", item);
	v[1] = text("quantity", decimal(w->arena, l->quantity));
	v[2] = text("price", amount(w->arena, w->f->currency, l->unit_minor, 1));
	v[3] = text("sum", amount(w->arena, w->f->currency, l->unit_minor, l->quantity));
	return (struct template_table){v, 4};
}

static struct template_value line_list(struct writing *w)
{
	uint32_t n = w->f->n_lines < LETTER_LINES_MAX ? w->f->n_lines : LETTER_LINES_MAX;
	struct template_table *rows = arena_array(w->arena, n + 1, sizeof(*rows));

	for (uint32_t i = 0; rows != NULL && i < n; i++)
		rows[i] = line_table(w, &w->f->lines[i]);
	return (struct template_value){"lines", .kind = TEMPLATE_LIST, .rows = rows,
				       .n_rows = rows != NULL ? n : 0};
}

static void set_values(struct writing *w)
{
	const struct letter_facts *f = w->f;
	struct template_value *v = w->values;
	int64_t listed = f->n_lines < LETTER_LINES_MAX ? f->n_lines : LETTER_LINES_MAX;

	v[V_SHOP] = text("shop", f->shop);
	v[V_NAME] = text("name", f->name);
	v[V_ORDER_NUMBER] = text("order_number", decimal(w->arena, f->order_number));
	v[V_TOTAL] = text("total", amount(w->arena, f->currency, f->total_minor, 1));
	v[V_PARTLY] = flag("partly", f->partly);
	v[V_EXPIRED] = flag("expired", str_eq(f->kind, STR("expired")));
	v[V_REJECTED] = flag("rejected", str_eq(f->kind, STR("rejected")));
	v[V_DECLINED] = flag("declined", str_eq(f->kind, STR("payment_declined")));
	v[V_ACTION] = flag("action", str_eq(f->kind, STR("payment_action_required")));
	v[V_CARRIER] = text("carrier", f->carrier);
	v[V_TRACKING_CODE] = text("tracking_code", f->tracking_code);
	v[V_TRACKING_URL] = text("tracking_url", web_only(f->tracking_url));
	v[V_ACTION_URL] = text("action_url", web_only(f->action_url));
	v[V_LISTED] = flag("listed", f->n_lines > 0);
	v[V_LINES] = line_list(w);
	v[V_MORE] = text("more", f->all_lines > listed ? decimal(w->arena, f->all_lines - listed)
						       : STR(""));
	v[V_SUBJECT] = text("subject", STR(""));
	v[V_BODY] = text("body", STR(""));
	v[V_GOODS] = text("goods", STR(""));
	w->table = (struct template_table){v, VALUES};
}

/* ---- writing ---- */

/* A file, filled; what is white at its end is left off. */
static struct str fill(struct writing *w, struct file file, enum template_mode mode)
{
	struct template_result r = template_render((struct str){(const char *)file.p, *file.n},
						   &w->table, mode, LETTER_BYTES_MAX, w->arena);

	if (r.end != TEMPLATE_OK) {
		w->why = template_end_text(r.end);
		return STR("");
	}
	while (r.text.n > 0 && strchr(" \n", r.text.p[r.text.n - 1]) != NULL)
		r.text.n--;
	return r.text;
}

static struct str fill_all(struct writing *w, struct file body, struct file goods,
			   struct file frame, enum template_mode mode)
{
	w->values[V_BODY].text = fill(w, body, mode);
	w->values[V_GOODS].text = fill(w, goods, mode);
	return fill(w, frame, mode);
}

static const struct words *find_words(struct str name)
{
	for (size_t i = 0; i < sizeof(all_words) / sizeof(all_words[0]); i++)
		if (str_eq(str_of(all_words[i].name), name))
			return &all_words[i];
	return NULL;
}

const char *letter_write(const struct letter_facts *f, struct arena *a, struct letter *ret)
{
	const struct words *words = find_words(f->template);
	struct writing w = {.f = f, .arena = a};

	if (words == NULL)
		return "there is no such template";
	set_values(&w);
	if (w.values[V_LINES].rows == NULL)
		return template_end_text(TEMPLATE_TOO_LARGE);
	ret->subject = fill(&w, words->subject, TEMPLATE_PLAIN);
	w.values[V_SUBJECT].text = ret->subject;
	ret->text = fill_all(&w, words->text, goods_text, frame_text, TEMPLATE_PLAIN);
	ret->html = fill_all(&w, words->html, goods_html, frame_html, TEMPLATE_HTML);
	return w.why;
}

/* ---- tracking URL ---- */

static bool unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("-_.~", c) != NULL);
}

static char *encoded(struct arena *a, struct str code)
{
	static const char hex[] = "0123456789ABCDEF";
	char *out = arena_array(a, code.n + 1, 3);
	size_t n = 0;

	for (size_t i = 0; out != NULL && i < code.n; i++) {
		if (unreserved(code.p[i])) {
			out[n++] = code.p[i];
			continue;
		}
		out[n++] = '%';
		out[n++] = hex[(unsigned char)code.p[i] >> 4];
		out[n++] = hex[(unsigned char)code.p[i] & 15];
	}
	return out; /* zeroed behind its end */
}

char *letter_tracking_url(struct arena *a, const char *pattern, struct str code)
{
	const char *hole = strstr(pattern, "{code}");
	const char *in = encoded(a, code);

	if (in == NULL || hole == NULL)
		return NULL;
	return arena_printf(a, "%.*s%s%s", (int)(hole - pattern), pattern, in, hole + 6);
}
