/*
 * What customers are told, and of which events.
 *
 * A template is three files in templates/: NAME.subject, NAME.txt and NAME.html, put into
 * frame.* beside them.  An event row is a kind, its detail ("": any) and a template; the
 * database says the same in mail_template(), and a test compares.
 */
/* clang-format off */
#define MAIL_TEMPLATE_TABLE(X) \
	X(confirmed) \
	X(delayed) \
	X(shipped) \
	X(out_for_delivery) \
	X(delivered) \
	X(cancelled) \
	X(payment_problem) \
	X(returned)

#define MAIL_EVENT_TABLE(X) \
	X("confirmed",               "",                 confirmed) \
	X("delayed",                 "",                 delayed) \
	X("shipped",                 "",                 shipped) \
	X("tracking",                "out_for_delivery", out_for_delivery) \
	X("delivered",               "",                 delivered) \
	X("cancelled",               "",                 cancelled) \
	X("expired",                 "",                 cancelled) \
	X("payment_declined",        "",                 payment_problem) \
	X("payment_action_required", "",                 payment_problem) \
	X("rejected",                "",                 payment_problem) \
	X("returned_to_sender",      "",                 returned)
/* clang-format on */
