/* libcurl: one connection kept open, no proxy, no redirects, the answer's body thrown away. */
#include "sims/courier.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include <curl/curl.h>

#include "sims/sim.h"

struct courier {
	CURLM *multi; /* for its wakeup; it holds one transfer at most */
	CURL *easy;
	_Atomic bool stopped;
};

static size_t drop(char *data, size_t size, size_t n, void *arg)
{
	(void)data;
	(void)arg;
	return size * n;
}

struct courier *courier_new(void)
{
	struct courier *c = must(calloc(1, sizeof(*c)));

	c->multi = must(curl_multi_init());
	c->easy = must(curl_easy_init());
	curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(c->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c->easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c->easy, CURLOPT_USERAGENT, "orderd-sim");
	curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, drop);
	return c;
}

void courier_free(struct courier *c)
{
	curl_easy_cleanup(c->easy);
	curl_multi_cleanup(c->multi);
	free(c);
}

static long status_of(struct courier *c, const CURLMsg *done)
{
	long status = 0;

	if (done != NULL && done->data.result == CURLE_OK)
		curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

int courier_post(struct courier *c, const char *url, const char *header, const char *body, size_t n,
		 int64_t timeout_ms)
{
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	int running = 1;
	int left;
	long status;

	headers = must(curl_slist_append(must(headers), header));
	headers = must(curl_slist_append(headers, "Expect:")); /* the body comes at once */
	curl_easy_setopt(c->easy, CURLOPT_URL, url);
	curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)n);
	curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_multi_add_handle(c->multi, c->easy);
	while (running > 0 && !c->stopped)
		if (curl_multi_perform(c->multi, &running) != CURLM_OK || running == 0 ||
		    curl_multi_poll(c->multi, NULL, 0, (int)timeout_ms, NULL) != CURLM_OK)
			break;
	status = status_of(c, curl_multi_info_read(c->multi, &left));
	curl_multi_remove_handle(c->multi, c->easy);
	curl_slist_free_all(headers);
	return (int)status;
}

void courier_stop(struct courier *c)
{
	c->stopped = true;
	curl_multi_wakeup(c->multi);
}
