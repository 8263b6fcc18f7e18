/*
 * Through a message and all it holds, whatever it is.  A case of a oneof that is not set shares its
 * place with the one that is, and is not gone into.
 */
#ifndef ORDERD_SERVER_MESSAGE_WALK_H
#define ORDERD_SERVER_MESSAGE_WALK_H

#include <protobuf-c/protobuf-c.h>

/* visit(m), and then the same for each message in it.  No message of ours holds itself. */
void message_walk(ProtobufCMessage *m, void (*visit)(ProtobufCMessage *m));

#endif
