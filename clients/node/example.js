// Places an order and follows it to its end, or follows all there are.
//
//   node example.js ADDRESS place REQUEST_ID CUSTOMER SKU=QUANTITY...
//   node example.js ADDRESS watch ORDER_ID [AFTER_SEQUENCE]
//   node example.js ADDRESS all [TOKEN [CUSTOMER]]
//
// Events go to stdout, everything else to stderr.  Ends with 0: done; 1: refused, and asking again is no use; 3: not known,
// ask again with the same arguments; 2: wrong arguments.
import { connect, explain, place, watch, watchAll } from './orders.js';

const UNKNOWN = ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'ABORTED', 'CANCELLED', 'RESOURCE_EXHAUSTED'];
const again = ({ code, reason }) => console.error(`again ${code} ${reason}`);

const request = (requestId, customer, lines) => ({
  request_id: requestId,
  customer,
  channel: 'example',
  payment_method: 'pm_card_visa',
  lines: lines.map((line) => line.split('=')).map(([sku, quantity]) => ({ sku, quantity })),
  ship_to: { name: 'Ada Example', street: 'Ring 1', city: 'Hamburg', postal_code: '20095', country_code: 'DE' },
});

async function follow(orders, orderId, after) {
  for await (const { sequence, kind } of watch(orders, orderId, after, again))
    console.log(`event ${sequence} ${kind}`);
  console.log('ended');
}

const commands = {
  async place(orders, requestId, customer, ...lines) {
    const { order_id, order_number } = await place(orders, request(requestId, customer, lines), again);
    console.log(`placed ${order_id} ${order_number}`);
    await follow(orders, order_id, 0);
  },
  watch: follow,
  async all(orders, token, customer) {
    for await (const message of watchAll(orders, { token, customer }, again)) {
      for (const { order_id, event } of message.events)
        console.log(`order ${order_id} ${event.sequence} ${event.kind}`);
      console.log(`token ${message.token}`); // of what stands above it
    }
  },
};

const [address, command, ...args] = process.argv.slice(2);
const least = { place: 3, watch: 1, all: 0 }[command];
if (least === undefined || args.length < least) {
  console.error('usage: example.js ADDRESS place REQUEST_ID CUSTOMER SKU=QUANTITY... | watch ORDER_ID [AFTER_SEQUENCE] | ' +
    'all [TOKEN [CUSTOMER]]');
  process.exit(2);
}
const orders = connect(address);
try {
  await commands[command](orders, ...args);
} catch (error) {
  if (error.code === undefined)
    throw error;
  const { code, reason, message, facts, fields } = explain(error);
  console.error(`${code} ${reason} ${message}`);
  for (const [name, value] of Object.entries(facts))
    console.error(`fact ${name}: ${value}`);
  for (const { field, description } of fields)
    console.error(`field ${field}: ${description}`);
  process.exitCode = UNKNOWN.includes(code) ? 3 : 1;
} finally {
  orders.close();
}
