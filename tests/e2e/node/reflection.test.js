// buf, which is connect-go inside, talks to orderd with nothing but an address: what it knows, reflection told it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { address, closeAll, decode, placing, stockUp } from './orderd.js';

before(stockUp);
after(closeAll);

// No --schema; and in a directory without buf.yaml, so that buf finds no protos of its own accord either.
function buf(protocol, path, ...more) {
  return promisify(execFile)('buf', ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', '--reflect',
    '--reflect-protocol', protocol, ...more, `http://${address}${path}`], { cwd: '/', timeout: 60000 })
    .then(({ stdout }) => stdout);
}

const post = async (protocol, path, message) => JSON.parse(await buf(protocol, path, '--data', JSON.stringify(message)));

for (const protocol of ['grpc-v1', 'grpc-v1alpha']) {
  test(`${protocol}: every method is listed`, async () => {
    const methods = (await buf(protocol, '', '--list-methods')).trim().split('\n');
    for (const method of ['PlaceOrder', 'GetOrder', 'GetOrderStatus', 'ListOrders', 'CancelOrder'])
      assert.ok(methods.includes(`orderd.v1.OrderService/${method}`), `${method} is not among ${methods}`);
    for (const method of ['UpsertItems', 'CreateLocation', 'ReceiveStock', 'AdjustStock', 'GetAvailability'])
      assert.ok(methods.includes(`orderd.v1.InventoryService/${method}`), `${method} is not among ${methods}`);
    assert.ok(methods.includes('grpc.health.v1.Health/Check'));
    assert.ok(methods.includes('grpc.health.v1.Health/Watch'));
  });

  test(`${protocol}: an order is placed and found`, async () => {
    const { order } = await post(protocol, '/orderd.v1.OrderService/PlaceOrder', placing());
    assert.equal(order.state, 'ORDER_STATE_PENDING');
    assert.equal(order.total.amountMinor, '2580');
    const got = await post(protocol, '/orderd.v1.OrderService/GetOrder', { order_id: order.orderId, with_events: true });
    assert.equal(got.order.orderNumber, order.orderNumber);
    assert.equal(got.events[0].kind, 'placed');
    assert.ok(!Number.isNaN(Date.parse(got.order.createTime)));
  });

  test(`${protocol}: an error and its details arrive`, async () => {
    // buf fails and prints the error as JSON, with the details' bytes.
    const failed = await post(protocol, '/orderd.v1.OrderService/PlaceOrder', placing({ customer: '' }))
      .then(() => assert.fail('it was not refused'), (error) => error);
    const error = JSON.parse(failed.stderr);
    assert.equal(error.code, 'invalid_argument');
    const { type, value } = error.details.find((d) => d.type === 'google.rpc.BadRequest');
    assert.equal(decode(type, Buffer.from(value, 'base64')).field_violations[0].field, 'customer');
  });
}
