/*
 * Every kind of job: one row each.  The migration's CHECK on job.kind names the same.
 */
#include "workers/fulfillment/fulfillment.h"
#include "workers/job.h"
#include "workers/notification/notification.h"
#include "workers/payment/payment.h"
#include "workers/shipping/shipping.h"

static const struct job_kind *const kinds[] = {
	&JOB_PAYMENT_AUTHORIZE, &JOB_PAYMENT_CAPTURE,  &JOB_PAYMENT_VOID,
	&JOB_FULFILLMENT_PICK,  &JOB_FULFILLMENT_PACK, &JOB_SHIPPING_LABEL,
	&JOB_SHIPPING_HANDOVER, &JOB_SHIPPING_TRACK,   &JOB_PAYMENT_RENEW,
	&JOB_NOTIFICATION_MAIL, &JOB_SHIPPING_VOID,    &JOB_FULFILLMENT_RESOURCE,
};

const struct job_kind *job_kind_find(struct str name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (str_eq(str_of(kinds[i]->name), name))
			return kinds[i];
	return NULL;
}
