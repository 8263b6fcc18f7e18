/*
 * The recorder: what rpc_record.h wants on record is written, by units of the job lane, so that no
 * order waits for it.
 *
 * Besides, once a minute it looks for calls that have begun and whose server is gone, and puts
 * them on record as UNKNOWN_OUTCOME, and where the chains end: that is the view `chains`, and
 * once an hour in the log (call_record_head), so that who keeps it can tell whether one was made
 * anew.
 */
#ifndef ORDERD_SERVER_CALL_RECORDER_H
#define ORDERD_SERVER_CALL_RECORDER_H

#include "server/runtime/rpc_record.h"

struct app;
struct show_board;
struct call_recorder;

struct call_recorder *call_recorder_new(struct app *app);
const struct rpc_recorder *call_recorder_door(const struct call_recorder *r);
void call_recorder_offer(const struct call_recorder *r, struct show_board *b); /* view: chains */

/*
 * When the gRPC server has gone.  What waits is written, each tried once; what cannot be is logged
 * as lost.  on_closed(arg) is called once everything is freed, perhaps before this returns.
 */
void call_recorder_close(struct call_recorder *r, void (*on_closed)(void *arg), void *arg);

#endif
