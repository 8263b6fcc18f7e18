// What test_callers.py has grpc-js do, over TLS with real credentials: cases as JSON on stdin, one line of JSON each on stdout.
// GRPC is where orderd is, CA what its certificate is believed by.
import { readFileSync } from 'node:fs';
import grpc from '@grpc/grpc-js';
import { OrderService, address, call, closeAll, details, placing, status } from './orderd.js';

const ca = readFileSync(process.env.CA);

function connect({ token, key, cert }) {
  const tls = grpc.credentials.createSsl(ca, key && Buffer.from(key), cert && Buffer.from(cert));
  const bearer = () => grpc.credentials.createFromMetadataGenerator((_, done) => {
    const metadata = new grpc.Metadata();
    metadata.set('authorization', `Bearer ${token}`);
    done(null, metadata);
  });
  return new OrderService(address, token ? grpc.credentials.combineChannelCredentials(tls, bearer()) : tls);
}

const code = (promise) => promise.then(() => 'OK', (error) => status[error.code]);

async function kinds(orders, order_id) {
  const found = [];
  for await (const { event } of orders.WatchOrder({ order_id }, { deadline: Date.now() + 60000 }))
    if (event)
      found.push(event.kind);
  return found;
}

const tasks = {
  ask: (orders, { deadline_ms }) => code(call(orders, 'GetOrder', { order_id: '01890000-0000-7000-8000-000000000000' },
    { deadline: Date.now() + deadline_ms })),
  async story(orders) {
    const { order } = await call(orders, 'PlaceOrder', placing());
    const found = await call(orders, 'GetOrder', { order_id: order.order_id });
    const error = await call(orders, 'PlaceOrder', placing({ lines: [] })).then(() => undefined, (e) => e);
    const told = details(error);
    return {
      placed: order.order_id, found: found.order.order_id, kinds: await kinds(orders, order.order_id),
      code: status[error.code], reason: told.ErrorInfo.reason, fields: told.BadRequest.field_violations.map((v) => v.field),
    };
  },
};

for (const one of JSON.parse(readFileSync(0, 'utf8'))) {
  const orders = connect(one);
  console.log(JSON.stringify(await tasks[one.task](orders, one)));
  orders.close();
}
closeAll();
