/*
 * A label asked for by a flow: rendered on another thread, answered on the loop's, bounded;
 * and a flow that gave up keeps its memory until the thread is done.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/clock.h"
#include "core/label/label.h"

enum { RENDER, DONE };

struct asker {
	struct flow fl; /* first: a flow is its asker */
	struct label_text text;
	enum label_format format;
	int got, done;
	size_t bytes;
	char media_type[32];
};

static struct loop *l;
static int left; /* flows not done yet */

static int ask_render(struct flow *fl)
{
	struct asker *a = (struct asker *)fl;

	return label_ask(fl, &a->text, a->format);
}

static int got_render(struct flow *fl, const struct answer *answer)
{
	struct asker *a = (struct asker *)fl;
	const struct label *label = label_answer(answer);

	a->got++;
	a->bytes = label->bytes.n;
	snprintf(a->media_type, sizeof(a->media_type), "%s", label->media_type);
	assert_non_null(memchr(label->bytes.p, label->suffix[0] == 'z' ? '^' : 'P', 8));
	return DONE;
}

/* clang-format off */
static const struct flow_step steps[] = {
	[RENDER] = {"render", ask_render, got_render, 60000, DONE, TO(DONE)},
	[DONE]   = {"done"},
};

/* clang-format on */

static void on_done(struct flow *fl)
{
	((struct asker *)fl)->done++;
	arena_done(&fl->arena);
	if (--left == 0)
		loop_stop(l);
}

static void start(struct asker *a, enum label_format f)
{
	*a = (struct asker){.fl = {.name = "label", .steps = steps, .loop = l, .done = on_done},
			    .format = f};
	arena_init(&a->fl.arena, 65536);
	a->text.tracking_code = arena_str(&a->fl.arena, STR("EZ1000000001"));
	a->text.to.name = arena_str(&a->fl.arena, STR("Ada"));
	left++;
	flow_start(&a->fl);
}

static int set_up(void **state)
{
	(void)state;
	l = loop_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	loop_free(l); /* asserts that nothing is under way */
	return 0;
}

static void label_comes_in_every_format(void **state)
{
	static const char *const media_types[] = {"application/pdf", "image/png",
						  "application/zpl"};
	struct asker a[LABEL_FORMATS];

	(void)state;
	for (int f = 0; f < LABEL_FORMATS; f++)
		start(&a[f], (enum label_format)f);
	loop_run(l);
	for (int f = 0; f < LABEL_FORMATS; f++) {
		assert_int_equal(a[f].got, 1);
		assert_int_equal(a[f].fl.cause, ERR_OK);
		assert_string_equal(a[f].media_type, media_types[f]);
		assert_true(a[f].bytes > 500);
	}
}

static void one_more_than_may_be_is_refused_and_later_not(void **state)
{
	static struct asker a[LABELS_AT_ONCE + 1];

	(void)state;
	for (int i = 0; i <= LABELS_AT_ONCE; i++)
		start(&a[i], LABEL_ZPL);
	assert_int_equal(a[LABELS_AT_ONCE].fl.cause, ERR_OVERLOADED);
	loop_run(l);
	for (int i = 0; i < LABELS_AT_ONCE; i++)
		assert_int_equal(a[i].got, 1);
	assert_int_equal(a[LABELS_AT_ONCE].got, 0);
	start(&a[0], LABEL_ZPL);
	loop_run(l);
	assert_int_equal(a[0].got, 1);
}

static void code_that_cannot_be_printed_is_the_flows_error(void **state)
{
	struct asker a;

	(void)state;
	start(&a, LABEL_PNG);
	a.text.tracking_code = STR("EZ1"); /* too late: it was copied */
	loop_run(l);
	assert_int_equal(a.got, 1);
	a = (struct asker){.fl = {.name = "label", .steps = steps, .loop = l, .done = on_done}};
	arena_init(&a.fl.arena, 65536);
	left++;
	flow_start(&a.fl); /* no code at all */
	loop_run(l);
	assert_int_equal(a.got, 0);
	assert_int_equal(a.fl.cause, ERR_LABEL_UNPRINTABLE);
}

/* The pool's one thread stands still until `go`. */
static uv_sem_t go;

static void stand_still(uv_work_t *work)
{
	(void)work;
	uv_sem_wait(&go);
}

static void stood_still(uv_work_t *work, int status)
{
	(void)work;
	(void)status;
}

static void flow_that_gave_up_ends_when_the_thread_is_done(void **state)
{
	struct asker a;
	uv_work_t blocker;

	(void)state;
	assert_int_equal(uv_sem_init(&go, 0), 0);
	assert_int_equal(uv_queue_work(loop_uv(l), &blocker, stand_still, stood_still), 0);
	start(&a, LABEL_PDF);
	flow_cancel(&a.fl, ERR_CANCELLED);
	while (a.fl.at != DONE)
		(void)uv_run(loop_uv(l), UV_RUN_NOWAIT);
	(void)uv_run(loop_uv(l), UV_RUN_NOWAIT);
	assert_int_equal(a.done, 0); /* its texts are still to be read */
	assert_int_equal(a.fl.ops_out, 1);
	uv_sem_post(&go);
	loop_run(l);
	assert_int_equal(a.done, 1);
	assert_int_equal(a.fl.cause, ERR_CANCELLED);
	assert_int_equal(a.got, 0);
	uv_sem_destroy(&go);
}

static void full_arena_is_refused(void **state)
{
	struct asker a = {.fl = {.name = "label", .steps = steps, .loop = l, .done = on_done}};

	(void)state;
	arena_init(&a.fl.arena, 64);
	left++;
	flow_start(&a.fl);
	loop_run(l);
	assert_int_equal(a.fl.cause, ERR_TOO_LARGE);
}

static int forget_fonts(void **state)
{
	(void)state;
	label_forget_fonts();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(label_comes_in_every_format, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_more_than_may_be_is_refused_and_later_not,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(code_that_cannot_be_printed_is_the_flows_error,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(flow_that_gave_up_ends_when_the_thread_is_done,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(full_arena_is_refused, set_up, tear_down),
	};

	setenv("UV_THREADPOOL_SIZE", "1", 1);
	return cmocka_run_group_tests(tests, NULL, forget_fonts);
}
