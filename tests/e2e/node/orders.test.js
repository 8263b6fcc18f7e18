// The contract through grpc-js, which shares no code with the C core that orderd is built on.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { randomUUID } from 'node:crypto';
import {
  Health, OrderService, call, closeAll, details, inventory, open, orders, place, placing, status, stockUp,
} from './orderd.js';

before(stockUp);
after(closeAll);

const refused = (promise) => promise.then(() => assert.fail('it was not refused'), (error) => error);

// A request under way elsewhere may answer ABORTED; the contract says: ask again.
const persist = (request) => call(orders, 'PlaceOrder', request).catch((error) => {
  assert.equal(error.code, status.ABORTED, error.message);
  return persist(request);
});

// Asks until it is so, or fails: the workers need their time.
async function until(condition) {
  for (const end = Date.now() + 60000; !(await condition());)
    assert.ok(Date.now() < end, 'it did not come about in 60 s');
}

test('a placed order is what was asked for, and is found again', async () => {
  const order = await place({ lines: [{ sku: 'mug', quantity: 2 }, { sku: 'lamp', quantity: 1 }], reference: 'PO-4711 ☕' });
  assert.match(order.order_id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.deepEqual(order.total, { currency_code: 'EUR', amount_minor: String(2 * 1290 + 4950) });
  assert.equal(order.state, 'ORDER_STATE_PENDING');
  assert.deepEqual(order.lines.map((l) => [l.line, l.sku, l.title, l.quantities.ordered]),
    [[1, 'mug', 'Ein mug für Ænne', '2'], [2, 'lamp', 'Ein lamp für Ænne', '1']]);
  const { order: found, events } = await call(orders, 'GetOrder', { order_id: order.order_id, with_events: true });
  assert.equal(found.order_number, order.order_number);
  assert.equal(found.reference, 'PO-4711 ☕');
  assert.equal(found.ship_to.city, 'Hamburg');
  assert.equal(events[0].kind, 'placed');
  assert.equal(events.at(-1).sequence, String(events.length));
  const now = await call(orders, 'GetOrderStatus', { order_id: order.order_id });
  assert.equal(now.order_number, order.order_number);
});

test('an order is carried to the door', async () => {
  const { order_id } = await place();
  await until(async () => (await call(orders, 'GetOrderStatus', { order_id })).state === 'ORDER_STATE_COMPLETED');
});

test('the same request again is the same order; another body is refused', async () => {
  const request = placing();
  const first = await call(orders, 'PlaceOrder', request);
  const again = await call(orders, 'PlaceOrder', request);
  assert.equal(again.order.order_id, first.order.order_id);
  const error = await refused(call(orders, 'PlaceOrder', { ...request, customer: 'somebody else' }));
  assert.equal(error.code, status.INVALID_ARGUMENT);
  assert.equal(details(error).ErrorInfo.reason, 'REQUEST_ID_REUSED');
});

test('pages of a list are newest first and have every order once', async () => {
  const customer = randomUUID();
  const mine = [];
  for (let i = 0; i < 5; i++)
    mine.unshift((await place({ customer })).order_id);
  const seen = [];
  let page_token = '';
  do {
    const page = await call(orders, 'ListOrders', { customer, page_size: 2, page_token });
    assert.ok(page.orders.length <= 2);
    seen.push(...page.orders.map((o) => o.order_id));
    page_token = page.next_page_token;
  } while (page_token);
  assert.deepEqual(seen, mine);
});

test('a cancelled order ends, and its stock is free again', async () => {
  const free = async () => Number((await call(inventory, 'GetAvailability', { skus: ['lamp'] })).items[0].available);
  const before = await free();
  const { order_id } = await place({ lines: [{ sku: 'lamp', quantity: 1 }], payment_method: 'pm_card_visa' });
  const cancelled = await call(orders, 'CancelOrder', { order_id, request_id: randomUUID(), reason: 'anders überlegt' })
    .then(({ order }) => order, (error) => {
      // The workers may have packed it first; then the order says so, and nothing else.
      assert.equal(details(error).ErrorInfo.reason, 'NOT_CANCELLABLE');
    });
  if (cancelled) {
    assert.match(cancelled.state, /CANCELLING|CANCELLED/);
    assert.equal(await free(), before);
    await until(async () => (await call(orders, 'GetOrderStatus', { order_id })).state === 'ORDER_STATE_CANCELLED');
  }
});

test('availability answers in the order asked, and its sums agree', async () => {
  const { items } = await call(inventory, 'GetAvailability', { skus: ['mug', 'lamp'] });
  assert.deepEqual(items.map((i) => i.sku), ['mug', 'lamp']);
  for (const { available, locations } of items) {
    assert.equal(locations[0].location, 'BER1');
    assert.equal(Number(available), locations.reduce((sum, l) => sum + Number(l.available), 0));
    for (const l of locations)
      assert.equal(BigInt(l.available), BigInt(l.on_hand) - BigInt(l.reserved) - BigInt(l.allocated) - BigInt(l.unavailable));
  }
});

test('bad input names every field that is wrong', async () => {
  const error = await refused(place({ customer: '', lines: [{ sku: 'mug', quantity: 0 }], ship_to: null }));
  assert.equal(error.code, status.INVALID_ARGUMENT);
  const { code, message, ErrorInfo, BadRequest } = details(error);
  assert.equal(code, status.INVALID_ARGUMENT);
  assert.equal(message, error.details);
  assert.equal(ErrorInfo.domain, 'orderd');
  const fields = BadRequest.field_violations.map((v) => v.field);
  for (const field of ['customer', 'lines[0].quantity', 'ship_to'])
    assert.ok(fields.some((f) => f.startsWith(field)), `${field} is not among ${fields}`);
});

test('what is out of stock is said with the item and what there is', async () => {
  const error = await refused(place({ lines: [{ sku: 'lamp', quantity: 1000 }] }));
  assert.equal(error.code, status.FAILED_PRECONDITION);
  const { ErrorInfo } = details(error);
  assert.equal(ErrorInfo.reason, 'OUT_OF_STOCK');
  assert.equal(ErrorInfo.metadata.sku, 'lamp');
  assert.ok(Number(ErrorInfo.metadata.available) <= 5);
});

test('an unknown order is not found', async () => {
  const error = await refused(call(orders, 'GetOrder', { order_id: '01890000-0000-7000-8000-000000000000' }));
  assert.equal(error.code, status.NOT_FOUND);
});

test('50 orders at once are 50 orders, on one connection', async () => {
  const customer = randomUUID();
  const placed = await Promise.all(Array.from({ length: 50 }, () => place({ customer })));
  assert.equal(new Set(placed.map((o) => o.order_id)).size, 50);
  assert.equal(new Set(placed.map((o) => o.order_number)).size, 50);
  const { orders: listed } = await call(orders, 'ListOrders', { customer, page_size: 200 });
  assert.equal(listed.length, 50);
});

test('50 times the same request at once is one order', async () => {
  const request = placing({ customer: randomUUID() });
  const answers = await Promise.all(Array.from({ length: 50 }, () => persist(request)));
  assert.equal(new Set(answers.map((a) => a.order.order_id)).size, 1);
  const { orders: listed } = await call(orders, 'ListOrders', { customer: request.customer });
  assert.equal(listed.length, 1);
});

test('after a deadline that was too short, the same request_id finds out', async () => {
  const request = placing();
  const error = await refused(call(orders, 'PlaceOrder', request, { deadline: Date.now() - 1 }));
  assert.equal(error.code, status.DEADLINE_EXCEEDED);
  let timedOut = 0;
  for (let ms = 1; ms <= 8; ms *= 2)
    await call(orders, 'PlaceOrder', request, { deadline: Date.now() + ms }).catch((e) => {
      assert.ok([status.DEADLINE_EXCEEDED, status.ABORTED].includes(e.code), e.message);
      timedOut++;
    });
  const { order } = await persist(request);
  const again = await call(orders, 'PlaceOrder', request);
  assert.equal(again.order.order_id, order.order_id, `after ${timedOut} deadlines`);
});

test('a call the client cancels is over at once, and the next one is answered', async () => {
  const request = placing({ customer: randomUUID() });
  const error = await new Promise((resolve) => {
    const running = orders.PlaceOrder(request, (e) => resolve(e));
    setImmediate(() => running.cancel());
  });
  assert.equal(error?.code, status.CANCELLED);
  await persist(request);
  const { orders: listed } = await call(orders, 'ListOrders', { customer: request.customer });
  assert.equal(listed.length, 1);
});

test('a client that goes away mid-call leaves the server well', async () => {
  const leaver = open(OrderService, { 'grpc.use_local_subchannel_pool': 1 });
  const calls = Array.from({ length: 20 }, () => call(leaver, 'PlaceOrder', placing()).catch((e) => e));
  leaver.close();
  await Promise.all(calls);
  await place();
});

test('health is SERVING for the server and each service, and Watch says so first', async () => {
  const health = open(Health);
  for (const service of ['', 'orderd.v1.OrderService', 'orderd.v1.InventoryService'])
    assert.equal((await call(health, 'Check', { service })).status, 'SERVING');
  const error = await refused(call(health, 'Check', { service: 'orderd.v1.Nothing' }));
  assert.equal(error.code, status.NOT_FOUND);
  const watch = health.Watch({ service: '' });
  const first = await new Promise((resolve, reject) => {
    watch.once('data', resolve);
    watch.once('error', reject);
  });
  assert.equal(first.status, 'SERVING');
  const ended = new Promise((resolve) => watch.on('error', resolve));
  watch.cancel();
  assert.equal((await ended).code, status.CANCELLED);
  health.close();
});
