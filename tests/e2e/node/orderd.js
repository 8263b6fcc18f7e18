// orderd as a JavaScript program sees it: the contract read by proto-loader at run time, calls made by grpc-js.
// run.sh says where it listens.
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

const api = join(import.meta.dirname, '../../../api');
const contract = loader.loadSync(
  ['orderd/v1/order_service.proto', 'orderd/v1/inventory_service.proto', 'grpc/health/v1/health.proto',
    'google/rpc/status.proto', 'google/rpc/error_details.proto'],
  { includeDirs: [api], keepCase: true, longs: String, enums: String, defaults: true });
const { orderd, grpc: served } = grpc.loadPackageDefinition(contract);

export const { status } = grpc;
export const address = process.env.GRPC;
export const open = (Service, options) => new Service(address, grpc.credentials.createInsecure(), options);
export const { OrderService, InventoryService } = orderd.v1;
export const { Health } = served.health.v1;
export const orders = open(OrderService);
export const inventory = open(InventoryService);

// A unary call as a promise; `options` as grpc-js has them, deadline above all.
export function call(client, method, request, options = {}) {
  return new Promise((resolve, reject) => {
    client[method](request, { deadline: Date.now() + 30000, ...options }, (error, answer) =>
      error ? reject(error) : resolve(answer));
  });
}

// A message of the contract by its full name: "google.rpc.Status".
export const decode = (type, bytes) => contract[type].deserialize(bytes);

// google.rpc.Status of a failed call: { code, message, ErrorInfo: {...}, BadRequest: {...}, ... }
export function details(error) {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  const { code, message, details: list } = decode('google.rpc.Status', bytes);
  const found = { code, message };
  for (const { type_url, value } of list) {
    const type = type_url.replace('type.googleapis.com/', '');
    found[type.replace('google.rpc.', '')] = decode(type, value);
  }
  return found;
}

// A request for two mugs; `changes` replace fields.
export const placing = (changes = {}) => ({
  request_id: randomUUID(),
  customer: 'node',
  payment_method: 'pm_card_visa',
  lines: [{ sku: 'mug', quantity: 2 }],
  ship_to: { name: 'Ada Example', street: 'Ring 1', city: 'Hamburg', postal_code: '20095', country_code: 'DE' },
  ...changes,
});

export const place = (changes) => call(orders, 'PlaceOrder', placing(changes)).then((answer) => answer.order);

// Something to sell.  Every file may ask for it: the second time nothing changes.
export async function stockUp() {
  const address = { name: 'BER1', street: 'Hafenweg 1', city: 'Berlin', postal_code: '10115', country_code: 'DE' };
  await call(inventory, 'CreateLocation', { location: { code: 'BER1', priority: 10, address } });
  const item = (sku, amount_minor) => ({
    sku, title: `Ein ${sku} für Ænne`, unit_price: { currency_code: 'EUR', amount_minor }, weight_grams: 340,
  });
  await call(inventory, 'UpsertItems', { items: [item('mug', 1290), item('lamp', 4950)] });
  await call(inventory, 'ReceiveStock', {
    request_id: 'opening', location: 'BER1', lines: [{ sku: 'mug', quantity: 2000 }, { sku: 'lamp', quantity: 5 }],
  });
}

export function closeAll() {
  orders.close();
  inventory.close();
}
