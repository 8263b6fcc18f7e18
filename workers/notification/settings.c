#include <stdlib.h>
#include <string.h>

#include "core/base/log.h"
#include "core/base/mem.h"
#include "workers/notification/notification.h"

static char *copy(struct str s)
{
	return mem_printf(STR_FMT, STR_ARG(s));
}

static void read_sender(struct worker *w)
{
	struct str name, address;

	if (!mail_sender_parse(str_of(w->cfg.mail_from), &name, &address))
		config_refuse("mail_from", "it is an address, or: Name <address>, not %s",
			      w->cfg.mail_from);
	w->mail_from.name = copy(name);
	w->mail_from.address = copy(address);
}

static enum mail_tls read_tls(const char *text)
{
	static const char *const names[] = {
		[MAIL_TLS_REQUIRED] = "required", [MAIL_TLS_TRY] = "try", [MAIL_TLS_NONE] = "none"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(text, names[i]) == 0)
			return (enum mail_tls)i;
	config_refuse("smtp_tls", "it is required, try or none, not %s", text);
}

static void read_server(struct worker *w)
{
	struct mail_server *s = &w->mail_server;
	bool smtps = strncmp(w->cfg.smtp_url, "smtps:", 6) == 0;

	if (w->cfg.smtp_url[0] == '\0')
		config_refuse("smtp_url", "the notification role needs it to send mails");
	if (!mail_url_ok(w->cfg.smtp_url))
		config_refuse("smtp_url", "it is smtp(s)://host[:port][/name], not %s",
			      w->cfg.smtp_url);
	s->url = w->cfg.smtp_url;
	s->tls = read_tls(w->cfg.smtp_tls);
	if (w->cfg.smtp_user[0] == '\0')
		return;
	if (s->tls != MAIL_TLS_REQUIRED && !smtps)
		config_refuse("smtp_user", "a password goes over TLS only: smtp_tls = required");
	w->smtp_password = config_secret("smtp_password_file", w->cfg.smtp_password_file);
	s->user = w->cfg.smtp_user;
	s->password = w->smtp_password;
}

static void check_tracking_url(const char *url)
{
	if (url[0] != '\0' && (!http_url_ok(url) || strstr(url, "{code}") == NULL))
		config_refuse("tracking_url", "it is http(s)://... with {code} in it, not %s", url);
}

bool notification_settings(struct worker *w)
{
	if (w->cfg.mail_from[0] == '\0') {
		log_info("mails_off", "why=%s", LOG_Q("mail_from is empty"));
		return false;
	}
	read_sender(w);
	read_server(w);
	check_tracking_url(w->cfg.tracking_url);
	return true;
}
