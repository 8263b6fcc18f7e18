#include "core/http/transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/metric.h"

enum {
	CONNECT_TIMEOUT_MS = 5000, /* two SYN retries of Linux fall within it */
	IDLE_MAX_S = 30, /* a kept connection older than this is not used again: peers close theirs
			    after 60 or more */
};

/* "host:port" of a URL, whatever stands around it. */
static void read_host(const char *url, char ret[TRANSFER_HOST_MAX])
{
	const char *p = strstr(url, "://");
	const char *at;
	size_t n;

	p = p != NULL ? p + 3 : url;
	n = strcspn(p, "/?#");
	at = memchr(p, '@', n);
	if (at != NULL) {
		n -= (size_t)(at + 1 - p);
		p = at + 1;
	}
	(void)snprintf(ret, TRANSFER_HOST_MAX, "%.*s",
		       (int)(n < TRANSFER_HOST_MAX ? n : TRANSFER_HOST_MAX - 1), p);
}

static void set_tls(CURL *e, const struct http_options *opt)
{
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (opt->ca_file == NULL || opt->ca_file[0] == '\0')
		return;
	curl_easy_setopt(e, CURLOPT_CAINFO, opt->ca_file);
	curl_easy_setopt(e, CURLOPT_CAPATH, NULL); /* these and no others */
}

void transfer_init(struct transfer *t, const struct http_options *opt, const char *url,
		   void (*finish)(struct transfer *t, CURLcode result))
{
	CURL *e = curl_easy_init();

	if (e == NULL)
		abort();
	t->easy = e;
	t->finish = finish;
	t->started_us = clock_mono_us();
	read_host(url, t->host);
	curl_easy_setopt(e, CURLOPT_URL, url);
	curl_easy_setopt(e, CURLOPT_PRIVATE, t);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_PROXY,
			 ""); /* not the environment's: settings have one source */
	set_tls(e, opt);
	curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, (long)IDLE_MAX_S);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
}

void transfer_sent(struct transfer *t)
{
	t->sent = true;
	t->op.late = ERR_HTTP_UNKNOWN;
}

void transfer_count(const struct transfer *t, enum errc err, int status)
{
	char label[TRANSFER_HOST_MAX + 64];

	if (err == ERR_OK)
		(void)snprintf(label, sizeof(label), "%s|%d", t->host, status);
	else
		(void)snprintf(label, sizeof(label), "%s|%s", t->host, err_name(err));
	metric_add(METRIC_http_calls, label, 1);
	metric_observe_us(METRIC_http_seconds, t->host, clock_mono_us() - t->started_us);
}

bool transfer_line_ok(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '\r' || s.p[i] == '\n' || s.p[i] == '\0')
			return false;
	return true;
}
