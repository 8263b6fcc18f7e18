/*
 * The business RPCs, one row per method of the contract.  rpc_table.c serves them; a test
 * compares them with the services' descriptors, so a method without a row does not pass.
 */
#ifndef ORDERD_SERVER_METHODS_H
#define ORDERD_SERVER_METHODS_H

#include "server/runtime/rpc.h"

extern const struct rpc_method RPC_PLACE_ORDER;
extern const struct rpc_method RPC_GET_ORDER;
extern const struct rpc_method RPC_BATCH_GET_ORDERS;
extern const struct rpc_method RPC_GET_ORDER_STATUS;
extern const struct rpc_method RPC_LIST_ORDERS;
extern const struct rpc_method RPC_CANCEL_ORDER;
extern const struct rpc_method RPC_WATCH_ORDER;
extern const struct rpc_method RPC_WATCH_ORDERS;

extern const struct rpc_method RPC_UPSERT_ITEMS;
extern const struct rpc_method RPC_CREATE_LOCATION;
extern const struct rpc_method RPC_RECEIVE_STOCK;
extern const struct rpc_method RPC_ADJUST_STOCK;
extern const struct rpc_method RPC_GET_AVAILABILITY;
extern const struct rpc_method RPC_LIST_STOCK_MOVEMENTS;

extern const struct rpc_method RPC_GET_LABEL;
extern const struct rpc_method RPC_GET_SHIPMENT;
extern const struct rpc_method RPC_VOID_LABEL;
extern const struct rpc_method RPC_CONFIRM_HANDOVER;
extern const struct rpc_method RPC_RECORD_TRACKING_EVENT;

extern const struct rpc_method RPC_GET_PAYMENT;
extern const struct rpc_method RPC_LIST_PAYMENTS;
extern const struct rpc_method RPC_RETRY_PAYMENT;

extern const struct rpc_method RPC_LIST_FULFILLMENT_ORDERS;
extern const struct rpc_method RPC_CONFIRM_PICK;
extern const struct rpc_method RPC_CONFIRM_PACK;

extern const struct rpc_method RPC_LIST_JOBS;
extern const struct rpc_method RPC_GET_JOB;
extern const struct rpc_method RPC_RETRY_JOBS;
extern const struct rpc_method RPC_CANCEL_JOB;
extern const struct rpc_method RPC_LIST_QUEUES;
extern const struct rpc_method RPC_PAUSE_QUEUE;
extern const struct rpc_method RPC_RESUME_QUEUE;
extern const struct rpc_method RPC_LIST_STUCK_ORDERS;
extern const struct rpc_method RPC_LIST_CALL_RECORDS;
extern const struct rpc_method RPC_VERIFY_CALL_RECORDS;
extern const struct rpc_method RPC_INSPECT;
extern const struct rpc_method RPC_CREATE_KEY;
extern const struct rpc_method RPC_LIST_KEYS;
extern const struct rpc_method RPC_REVOKE_KEY;

#endif
