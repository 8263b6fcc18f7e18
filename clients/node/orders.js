// What a program that calls orderd needs to know, in one file: deadlines and retries from ../service_config.json, the
// same request_id until an answer has come, an order's events without a gap, and errors by field.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

const here = import.meta.dirname;
const contract = loader.loadSync(
  ['orderd/v1/order_service.proto', 'google/rpc/status.proto', 'google/rpc/error_details.proto'],
  // 64-bit numbers as strings: a JavaScript number would round them.
  { includeDirs: [join(here, '../../api')], keepCase: true, longs: String, enums: String, defaults: true, oneofs: true });
const { OrderService } = grpc.loadPackageDefinition(contract).orderd.v1;
const { status } = grpc;

const PATIENCE_MS = 60_000;
const PAUSE_FIRST_MS = 200;
const PAUSE_LONGEST_MS = 5_000;

// What is worth another try when it does not come from orderd itself, which says so: a connection lost, our deadline.
// CANCELLED is how a call may end that reaches a server about to leave; nothing in this file cancels one and waits for it.
const AGAIN = new Set([status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.CANCELLED]);

export function connect(address) {
  return new OrderService(address, grpc.credentials.createInsecure(), {
    'grpc.service_config': readFileSync(join(here, '../service_config.json'), 'utf8'),
    // Finds a server that is gone without a word in 40 s.  More often than every 10 s is too often for orderd.
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.initial_reconnect_backoff_ms': 200,
    'grpc.max_reconnect_backoff_ms': 2_000,
  });
}

// google.rpc.Status of a failed call.  `reason` is empty when orderd did not say it; retryAfterMs is undefined when the same
// call would fail in the same way.
export function explain(error) {
  const found = { code: status[error.code], message: error.details, reason: '', facts: {}, fields: [], retryAfterMs: undefined };
  const [bytes] = error.metadata?.get('grpc-status-details-bin') ?? [];
  for (const { type_url, value } of bytes ? contract['google.rpc.Status'].deserialize(bytes).details : []) {
    const type = type_url.split('/').at(-1);
    const detail = contract[type]?.deserialize(value);
    if (type === 'google.rpc.ErrorInfo')
      Object.assign(found, { reason: detail.reason, facts: detail.metadata });
    else if (type === 'google.rpc.BadRequest')
      found.fields = detail.field_violations;
    else if (type === 'google.rpc.RetryInfo')
      found.retryAfterMs = Number(detail.retry_delay.seconds) * 1000 + detail.retry_delay.nanos / 1e6;
  }
  return found;
}

// orderd's own word if it is there.  A reader that was too slow is told in the message alone: no details overtake a stream.
const isWorthIt = (error, { reason, message, retryAfterMs }) =>
  reason ? retryAfterMs !== undefined : AGAIN.has(error.code) || message.startsWith('SLOW_READER');

// Pauses before another try, longer each time, never shorter than the server asks for; or throws the error, when it will
// be the same next time or patience has ended.  Half a pause and some keeps clients from coming back all at once.
class Tries {
  constructor(onAgain, patienceMs = PATIENCE_MS) {
    this.onAgain = onAgain;
    this.patienceMs = patienceMs;
    this.restart();
  }

  restart() {
    this.end = Date.now() + this.patienceMs;
    this.pauseMs = PAUSE_FIRST_MS;
  }

  async again(error) {
    const why = explain(error);
    const pauseMs = Math.max(why.retryAfterMs ?? 0, this.pauseMs * (0.5 + Math.random() / 2));
    if (!isWorthIt(error, why) || Date.now() + pauseMs > this.end)
      throw error;
    this.onAgain?.(why);
    this.pauseMs = Math.min(this.pauseMs * 2, PAUSE_LONGEST_MS);
    await sleep(pauseMs);
  }
}

// The order, once, however often this has to ask.  `request.request_id` belongs to the purchase, not to the try: store it
// before the first call, and a program that was ended in between asks with the same one.
export async function place(orders, request, onAgain) {
  const once = () => new Promise((resolve, reject) => {
    orders.PlaceOrder(request, (error, answer) => (error ? reject(error) : resolve(answer.order)));
  });
  for (const tries = new Tries(onAgain);;) {
    try {
      return await once();
    } catch (error) {
      await tries.again(error);
    }
  }
}

// Every event of an order behind `after`, once and in order, until the order has ended.  Store the sequence of the last
// one that was dealt with: it is all that is needed to go on later, from here or from another device.
export async function* watch(orders, orderId, after = 0, onAgain) {
  for (const tries = new Tries(onAgain);;) {
    const stream = orders.WatchOrder({ order_id: orderId, after_sequence: after });
    try {
      for await (const { what, event, sequence } of stream) {
        tries.restart(); // it was alive
        if (what !== 'event')
          continue;
        after = sequence;
        yield event;
      }
      return;
    } catch (error) {
      await tries.again(error);
    } finally {
      stream.cancel(); // whoever stops reading leaves nothing open
    }
  }
}

// What happens to all orders, or to one customer's: { events, token } message by message, for as long as it is read.  Store
// the token when the events of its message have been dealt with: it goes on there, from here or from another device, after
// an hour or a day.  Without one it begins now.
export async function* watchAll(orders, { token = '', customer = '' } = {}, onAgain) {
  for (const tries = new Tries(onAgain);;) {
    const stream = orders.WatchOrders({ resume_token: token, customer });
    try {
      for await (const { events, resume_token } of stream) {
        tries.restart(); // it was alive
        token = resume_token;
        yield { events, token };
      }
    } catch (error) {
      await tries.again(error);
    } finally {
      stream.cancel();
    }
  }
}
