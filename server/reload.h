/*
 * SIGHUP: what may change while orderd runs is read again.  Certificates, the issuer's keys and the
 * deny list (auth/auth.h), and of the settings log_level and access_log.  What cannot be used is
 * complained of and not taken; of another setting that has changed the log says that it needs a
 * restart.
 */
#ifndef ORDERD_SERVER_RELOAD_H
#define ORDERD_SERVER_RELOAD_H

struct app;
struct reload;

/* argc and argv as main() got them; they must stay. */
struct reload *reload_new(struct app *app, int argc, char **argv);
void reload_now(struct reload *r); /* nothing while orderd drains */
/* on_closed(arg) is called, perhaps before this returns, once it is freed; after auth_close(). */
void reload_close(struct reload *r, void (*on_closed)(void *arg), void *arg);

#endif
