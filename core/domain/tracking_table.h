/*
 * The words carriers have for where a parcel is, and what each of them means here.
 *
 * TRACKING_STATUS_TABLE: word, the state it tells of, that state's rank within a leg, what is wrong
 * (NULL: nothing).  Rank 0 tells nothing about the way.  EasyPost's words first, then those of
 * other aggregators (karrio) for the same.
 *
 * TRACKING_DETAIL_TABLE: details that say something is wrong, and what.  Others are ordinary.
 */
/* clang-format off */
#define TRACKING_STATUS_TABLE(X) \
	X("unknown",              NULL,                   0, NULL) \
	X("pre_transit",          "pre_transit",          1, NULL) \
	X("in_transit",           "in_transit",           2, NULL) \
	X("out_for_delivery",     "out_for_delivery",     3, NULL) \
	X("available_for_pickup", "available_for_pickup", 3, NULL) \
	X("delivered",            "delivered",            4, NULL) \
	X("return_to_sender",     "return_to_sender",     1, NULL) \
	X("failure",              NULL,                   0, "failure") \
	X("error",                NULL,                   0, "error") \
	X("cancelled",            NULL,                   0, "cancelled") \
	X("pending",              "pre_transit",          1, NULL) \
	X("picked_up",            "in_transit",           2, NULL) \
	X("ready_for_pickup",     "available_for_pickup", 3, NULL) \
	X("on_hold",              "in_transit",           2, "held") \
	X("delivery_delayed",     "in_transit",           2, "delayed") \
	X("delivery_failed",      "in_transit",           2, "delivery_exception")

#define TRACKING_DETAIL_TABLE(X) \
	X("address_correction",     "address_correction") \
	X("awaiting_information",   "awaiting_information") \
	X("cancelled",              "cancelled") \
	X("damaged",                "damaged") \
	X("delayed",                "delayed") \
	X("delivery_exception",     "delivery_exception") \
	X("expired",                "expired") \
	X("failure",                "failure") \
	X("held",                   "held") \
	X("lost",                   "lost") \
	X("missorted",              "missorted") \
	X("refused",                "refused") \
	X("transit_exception",      "transit_exception") \
	X("weather_delay",          "weather_delay") \
	X("carrier_damaged_parcel", "damaged") \
	X("carrier_parcel_lost",    "lost") \
	X("consignee_not_home",     "delivery_exception") \
	X("consignee_refused",      "refused") \
	X("customs_inspection",     "held")
/* clang-format on */
