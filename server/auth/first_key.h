/*
 * `orderd admin-key NAME [TENANT]`: an administrator's key, made by who may read the pepper and
 * write the database, for a server that nobody can call yet.
 */
#ifndef ORDERD_SERVER_FIRST_KEY_H
#define ORDERD_SERVER_FIRST_KEY_H

struct app;

/* Prints the credential, and nothing else, on stdout.  Answers the exit code; exits 2. */
int first_key_make(struct app *app, const char *name, const char *tenant);

#endif
