/*
 * Why a caller was refused: for operators.  Callers are told one sentence whatever it was.
 */
#ifndef ORDERD_SERVER_CAUSE_H
#define ORDERD_SERVER_CAUSE_H

/* Columns: name in C, label of the metric auth_refused and of the log line. */
#define AUTH_CAUSE_TABLE(X)                                                                \
	X(OK, "ok")                                                                        \
	X(MISSING, "missing")         /* neither a header nor a certificate */             \
	X(MALFORMED, "malformed")     /* no "Bearer ...", or none of the known forms */    \
	X(TOO_LARGE, "too_large")     /* a token over JWT_MAX */                           \
	X(NOT_TAKEN, "not_taken")     /* this kind of credential is not configured */      \
	X(UNKNOWN_KEY, "unknown_key") /* a key id we do not have, or no longer */          \
	X(FORGED, "forged")           /* wrong secret, wrong signature, wrong algorithm */ \
	X(EXPIRED, "expired")                                                              \
	X(NOT_YET_VALID, "not_yet_valid")                                                  \
	X(TOO_LONG_LIVED, "too_long_lived") /* expires later than jwt_life_s allows */     \
	X(WRONG_ISSUER, "wrong_issuer")                                                    \
	X(WRONG_AUDIENCE, "wrong_audience")                                                \
	X(WRONG_TYPE, "wrong_type")     /* of token: an ID token is no access token */     \
	X(WRONG_CLAIMS, "wrong_claims") /* no tenant, role or subject that we know */      \
	X(WRONG_ROLE, "wrong_role")     /* one that this kind of credential cannot give */ \
	X(DENIED, "denied")             /* it stands in auth_deny_file */                  \
	X(NO_IDENTITY, "no_identity")   /* a certificate without one URI of our form */    \
	X(NO_ROOM, "no_room")           /* the call's memory is used up */                 \
	X(KEYS_UNKNOWN, "keys_unknown") /* the API keys could not be read for too long */

enum auth_cause {

#define X(name, label) AUTH_##name,
	AUTH_CAUSE_TABLE(X)
#undef X
		AUTH_CAUSES
};

const char *auth_cause_name(enum auth_cause cause);

#endif
