#include "server/runtime/self_probe.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/listen/address.h"

enum {
	FRAME_HEADER = 9,   /* RFC 9113, 4.1: length 3, type 1, flags 1, stream 4 */
	FRAME_SETTINGS = 4, /* RFC 9113, 6.5 */
	RECORD_ALERT = 21,  /* RFC 8446, 5.1 */
	RECORD_HANDSHAKE = 22,
};

/*
 * RFC 5246, 7.4.1.2: a ClientHello of TLS 1.2, for certificates of every usual kind.  Its random
 * is a constant, for nothing will ever be said over this connection.
 */
static char client_hello[] =
	"\x16\x03\x01\x00\x5c" /* record: handshake, length */
	"\x01\x00\x00\x58"     /* client_hello, length */
	"\x03\x03"
	"orderd asks whether it is heard." /* 32 bytes of random */
	"\x00"                             /* no session */
	"\x00\x04\xc0\x2b\xc0\x2f"         /* ECDHE with ECDSA or RSA, AES-128-GCM */
	"\x01\x00"
	"\x00\x2b"                                 /* extensions: */
	"\x00\x0a\x00\x06\x00\x04\x00\x1d\x00\x17" /* X25519, P-256 */
	"\x00\x0b\x00\x02\x01\x00"                 /* points whole */
	"\x00\x0d\x00\x0e\x00\x0c\x04\x03\x08\x04\x04\x01\x05\x03\x06\x03\x08\x07" /* signatures */
	"\x00\x10\x00\x05\x00\x03\x02"
	"h2"; /* ALPN */

/* RFC 9113, 3.4: the preface, and SETTINGS that change nothing.  A listener of ours may wait for it
 * (held_listener.h). */
static char preface[] =
	"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	"\x00\x00\x00\x04\x00\x00\x00\x00\x00";

/* One attempt.  Its handle outlives the verdict until libuv has closed it. */
struct attempt {
	struct self_probe *probe; /* NULL: the verdict is in, or nobody waits for it */

	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	};

	uv_connect_t connect;
	uv_write_t hello;
	char frame[FRAME_HEADER];
	size_t n;
};

struct self_probe {
	struct loop *loop;
	char *address;
	bool tls;
	struct timer timer; /* the next attempt, or the end of this one's patience */
	struct attempt *attempt;
	int failures;
	void (*on_deaf)(void *arg);
	void *arg;
};

static void start(struct timer *t);

static struct self_probe *probe_of(struct timer *t)
{
	return (struct self_probe *)(void *)((char *)t - offsetof(struct self_probe, timer));
}

static void plan(struct self_probe *p, void (*on_due)(struct timer *t), int64_t ms)
{
	p->timer.on_due = on_due;
	timer_set(p->loop, &p->timer, clock_mono_ms() + ms);
}

static void on_attempt_closed(uv_handle_t *h)
{
	free(h->data);
}

static void abandon(struct attempt *a)
{
	a->probe->attempt = NULL;
	a->probe = NULL;
	uv_close(&a->handle, on_attempt_closed);
}

static void verdict(struct attempt *a, bool heard)
{
	struct self_probe *p = a->probe;

	abandon(a);
	timer_clear(p->loop, &p->timer);
	p->failures = heard ? 0 : p->failures + 1;
	if (p->failures > 0)
		log_warn("self_probe_failed", "address=%s failures=%d", p->address, p->failures);
	if (p->failures >= PROBE_FAILURES)
		p->on_deaf(p->arg);
	else
		plan(p, start, PROBE_EVERY_MS);
}

static void on_patience_over(struct timer *t)
{
	verdict(probe_of(t)->attempt, false);
}

static void on_room(uv_handle_t *h, size_t suggested, uv_buf_t *ret)
{
	struct attempt *a = h->data;

	(void)suggested;
	*ret = uv_buf_init(a->frame + a->n, (unsigned)(sizeof(a->frame) - a->n));
}

static bool is_answer(const struct attempt *a)
{
	if (a->probe->tls)
		return a->frame[0] == RECORD_HANDSHAKE || a->frame[0] == RECORD_ALERT;
	return a->frame[3] == FRAME_SETTINGS;
}

/* An alert is seven bytes and then the end. */
static bool is_whole(const struct attempt *a)
{
	return a->n >= (a->probe->tls ? 1 : sizeof(a->frame));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct attempt *a = stream->data;

	(void)buf;
	if (n > 0)
		a->n += (size_t)n;
	if (n < 0)
		verdict(a, false);
	else if (is_whole(a))
		verdict(a, is_answer(a));
}

static void on_hello_sent(uv_write_t *hello, int status)
{
	(void)hello; /* what comes back, or does not, is what counts */
	(void)status;
}

static int say_hello(struct attempt *a)
{
	uv_buf_t buf = a->probe->tls ? uv_buf_init(client_hello, sizeof(client_hello) - 1)
				     : uv_buf_init(preface, sizeof(preface) - 1);

	return uv_write(&a->hello, &a->stream, &buf, 1, on_hello_sent);
}

static void on_connect(uv_connect_t *connect, int status)
{
	struct attempt *a = connect->data;

	if (a->probe == NULL)
		return; /* being closed */
	if (status < 0 || uv_read_start(&a->stream, on_room, on_read) < 0 || say_hello(a) < 0)
		verdict(a, false);
}

static int connect_tcp(struct attempt *a, const char *address)
{
	struct sockaddr_storage to;
	bool known = address_parse(str_of(address), &to);

	assert(known); /* it is being listened on */
	return uv_tcp_connect(&a->connect, &a->tcp, (const struct sockaddr *)(void *)&to,
			      on_connect);
}

static void start(struct timer *t)
{
	struct self_probe *p = probe_of(t);
	struct attempt *a = mem_alloc(sizeof(*a));
	int rc = 0;

	a->probe = p;
	p->attempt = a;
	plan(p, on_patience_over, PROBE_WAIT_MS);
	if (strncmp(p->address, "unix:", 5) == 0) {
		uv_pipe_init(loop_uv(p->loop), &a->pipe, 0);
		a->handle.data = a->connect.data = a;
		uv_pipe_connect(&a->connect, &a->pipe, p->address + 5, on_connect);
	} else {
		uv_tcp_init(loop_uv(p->loop), &a->tcp);
		a->handle.data = a->connect.data = a;
		rc = connect_tcp(a, p->address);
	}
	if (rc < 0)
		verdict(a, false);
}

struct self_probe *self_probe_new(struct loop *l, const char *address, bool tls,
				  void (*on_deaf)(void *arg), void *arg)
{
	struct self_probe *p = mem_alloc(sizeof(*p));

	p->loop = l;
	p->address = mem_text(address);
	p->tls = tls;
	p->on_deaf = on_deaf;
	p->arg = arg;
	plan(p, start, PROBE_EVERY_MS);
	return p;
}

bool self_probe_is_heard(const struct self_probe *p)
{
	return p->failures == 0;
}

void self_probe_close(struct self_probe *p)
{
	timer_clear(p->loop, &p->timer);
	if (p->attempt != NULL)
		abandon(p->attempt);
	free(p->address);
	free(p);
}
