/* What may be said of a mail server, and to it: settings and addresses, checked. */
#include <string.h>

#include <curl/curl.h>

#include "core/http/mail.h"
#include "core/http/transfer.h"

bool mail_address_ok(struct str address)
{
	const char *at = address.n > 0 ? memrchr(address.p, '@', address.n) : NULL;

	if (at == NULL || at == address.p || at == address.p + address.n - 1 ||
	    address.n > MAIL_ADDRESS_MAX)
		return false;
	for (size_t i = 0; i < address.n; i++)
		if (address.p[i] <= ' ' || address.p[i] > '~' ||
		    strchr("<>\"(),:;\\", address.p[i]) != NULL)
			return false;
	return true;
}

bool mail_sender_parse(struct str sender, struct str *ret_name, struct str *ret_address)
{
	const char *open = sender.n > 0 ? memrchr(sender.p, '<', sender.n) : NULL;
	struct str name = {sender.p, 0}, address = sender;

	if (open != NULL) {
		name.n = (size_t)(open - sender.p);
		while (name.n > 0 && name.p[name.n - 1] == ' ')
			name.n--;
		address = (struct str){open + 1, sender.n - (size_t)(open - sender.p) - 1};
		if (address.n == 0 || address.p[address.n - 1] != '>')
			return false;
		address.n--;
	}
	if (!mail_address_ok(address) || !str_is_text(name) || !transfer_line_ok(name))
		return false;
	*ret_name = name;
	*ret_address = address;
	return true;
}

/* One name at most behind the host, and nobody's password in a place that is logged. */
bool mail_url_ok(const char *url)
{
	CURLU *u = curl_url();
	char *scheme = NULL, *host = NULL, *path = NULL, *user = NULL, *query = NULL;
	bool ok;

	ok = u != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
	     curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	     curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	     curl_url_get(u, CURLUPART_PATH, &path, 0) == CURLUE_OK &&
	     curl_url_get(u, CURLUPART_USER, &user, 0) != CURLUE_OK &&
	     curl_url_get(u, CURLUPART_QUERY, &query, 0) != CURLUE_OK;
	ok = ok && (strcmp(scheme, "smtp") == 0 || strcmp(scheme, "smtps") == 0) &&
	     strchr(path + 1, '/') == NULL;
	curl_free(scheme);
	curl_free(host);
	curl_free(path);
	curl_free(user);
	curl_free(query);
	curl_url_cleanup(u);
	return ok;
}
