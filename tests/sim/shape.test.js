// The TypeScript compiler as judge of shapes: objects of orderd-sim are written out as
// literals of the SDK's types.  A missing, mistyped or unknown field does not compile.
// The SDK leaves its enums open, so their values are compared with closed lists here.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import Stripe from 'stripe';
import { Receiver } from './receiver.js';
import { Sim } from './sim.js';

const EasyPost = createRequire(import.meta.url)('@easypost/api');
const here = dirname(fileURLToPath(import.meta.url));
let sim;
let dir;
let stripe;
let carrier;
let receiver;

before(async () => {
  sim = await Sim.start();
  // Below this folder, so that the compiler finds the SDK's types.
  dir = mkdtempSync(join(here, 'node_modules', '.shape-'));
  stripe = new Stripe('sk_test_judge', {
    host: '127.0.0.1', port: sim.port, protocol: 'http', maxNetworkRetries: 0, telemetry: false,
  });
  carrier = new EasyPost('key', { baseUrl: `${sim.url}/v2/` });
  receiver = await Receiver.start();
  const settings = { url: receiver.url, secret: 'whsec_judge_of_shapes' };
  await sim.listen({ gateway: settings, carrier: settings });
});

after(async () => {
  rmSync(dir, { recursive: true });
  await sim.stop();
  await receiver.stop();
});

async function call(path, authorization, body) {
  const answer = await fetch(`${sim.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST', headers: { Authorization: authorization },
    body: body && JSON.stringify(body),
  });
  return answer.json();
}

function get(path) {
  return call(path, 'Bearer sk_test_judge');
}

const GATEWAY = `import Stripe from 'stripe';`;
// Where the types of EasyPost's SDK and what its API is known to send differ, the API counts (see its own recorded
// answers, test/cassettes in its repository): no verifications, a zone that is a number, options
// only as given, and fields of orders.
const CARRIER = `import type { IAddress, IEvent, IRate, IShipment, ITracker } from '@easypost/api';
import type { TErrorCode } from '../@easypost/api/types/errors/ErrorCode.js';
type Address = Omit<IAddress, 'verifications'> & { created_at: string; updated_at: string };
type Shipment = Omit<IShipment, 'usps_zone' | 'postage_label' | 'options' | 'to_address' | 'from_address' |
  'return_address' | 'buyer_address'> & { to_address: Address; from_address: Address; return_address: Address;
  buyer_address: Address; usps_zone: number; options: object; order_id: string;
  postage_label: IShipment['postage_label'] & { label_file: null } };
type Event = Omit<IEvent, 'result'> & { result: ITracker };`;

// What the compiler says about [type, object] pairs; "" when it is content.  EasyPost's types speak of null nowhere.
function compile(name, pairs, imports = GATEWAY) {
  const lines = pairs.map(([type, object], i) => `const o${i}: ${type} = ${JSON.stringify(object)};`);
  const config = {
    compilerOptions: {
      noEmit: true, strict: true, strictNullChecks: imports === GATEWAY, skipLibCheck: true, types: [],
      module: 'nodenext', target: 'es2022',
    },
    files: [`${name}.ts`],
  };
  writeFileSync(join(dir, `${name}.ts`), `${imports}\n${lines.join('\n')}\nexport {};\n`);
  writeFileSync(join(dir, `${name}.json`), JSON.stringify(config));
  try {
    execFileSync(process.execPath, [join(here, 'node_modules/typescript/bin/tsc'), '-p', join(dir, `${name}.json`)]);
    return '';
  } catch (error) {
    return String(error.stdout);
  }
}

const held = {
  amount: 4200, currency: 'eur', capture_method: 'manual', confirm: true, payment_method: 'pm_card_visa',
  payment_method_types: ['card'], metadata: { order_id: 'o-1' },
  shipping: { name: 'A', address: { line1: '1 Main St', country: 'US' } },
};

async function objects() {
  const taken = await stripe.paymentIntents.create(held);
  await stripe.paymentIntents.capture(taken.id, { amount_to_capture: 4000 });
  const refund = await stripe.refunds.create({ payment_intent: taken.id, amount: 100 });
  const declined = await stripe.paymentIntents
    .create({ ...held, payment_method: 'pm_card_chargeDeclined' })
    .catch((error) => error.payment_intent);
  const waiting = await stripe.paymentIntents.create({ ...held, payment_method: 'pm_card_threeDSecure2Required' });
  const intents = [taken.id, declined.id, waiting.id].map((id) => `/v1/payment_intents/${id}`);
  return [
    ...await Promise.all(intents.map(async (path) => ['Stripe.PaymentIntent', await get(path)])),
    ['Stripe.PaymentIntent', await get(`${intents[0]}?expand[]=latest_charge`)],
    ['Stripe.PaymentIntent', await get(`${intents[1]}?expand[]=latest_charge`)],
    ['Stripe.Refund', await get(`/v1/refunds/${refund.id}`)],
    ['Stripe.Charge', await get(`/v1/charges/${refund.charge}`)],
  ];
}

test('objects__compile_as_the_sdks_types', async () => {
  assert.equal(compile('right', await objects()), '');
});

test('a_wrong_object__does_not_compile', async () => {
  const [[type, intent]] = await objects();
  const { client_secret: _, ...missing } = intent;
  const errors = compile('wrong', [
    [type, missing], [type, { ...intent, amount: '42' }], [type, { ...intent, amuont: 42 }]]).split('\n');
  assert.match(errors[0], /client_secret/);
  assert.match(errors[1], /'string' is not assignable to type 'number'/);
  assert.match(errors[2], /amuont/);
});

// One event of each type there is, as the receiver got it.
async function events() {
  const from = receiver.got.length;
  await objects();
  const lapses = await stripe.paymentIntents.create(held);
  const canceled = await stripe.paymentIntents.create(held);
  await stripe.paymentIntents.cancel(canceled.id);
  await sim.advance(7 * 86400);
  const told = () => receiver.got.slice(from).map((delivery) => delivery.event);
  await receiver.until(() => told().some((event) =>
    event.type === 'payment_intent.canceled' && event.data.object.id === lapses.id));
  return [...new Map(told().map((event) => [event.type, event])).values()];
}

test('events__compile_as_the_sdks_types', async () => {
  const one_of_each = await events();
  assert.deepEqual(one_of_each.map((event) => event.type).sort(), [
    'charge.captured', 'charge.expired', 'charge.failed', 'charge.refunded', 'charge.succeeded',
    'payment_intent.amount_capturable_updated', 'payment_intent.canceled', 'payment_intent.created',
    'payment_intent.payment_failed', 'payment_intent.requires_action', 'payment_intent.succeeded', 'refund.created']);
  // charge.captured -> Stripe.ChargeCapturedEvent: the type's name, and with it the type of its object.
  const type_of = ({ type }) => `Stripe.${type.replace(/(^|[._])([a-z])/g, (_, __, letter) => letter.toUpperCase())}Event`;
  assert.equal(compile('events', one_of_each.map((event) => [type_of(event), event])), '');
  assert.equal(compile('any_event', one_of_each.map((event) => ['Stripe.Event', event])), '');
  assert.match(compile('other_event', [['Stripe.ChargeCapturedEvent', one_of_each.find((e) => e.type === 'refund.created')]]),
    /not assignable/);
});

// ---- the carrier ----

const parcel = {
  to_address: { name: 'A', street1: '1 Main St', city: 'Springfield', state: 'IL', zip: '62701', country: 'US' },
  from_address: { name: 'B', street1: '2 Dock Rd', city: 'Oakland', state: 'CA', zip: '94607', country: 'US' },
  parcel: { length: 10, width: 8, height: 4, weight: 16 }, reference: 'shape',
};

async function carriers_objects() {
  const created = await call('/v2/shipments', 'Basic a2V5Og==', { shipment: parcel });
  const from = receiver.got.length;
  const sold = await call(`/v2/shipments/${created.id}/buy`, 'Basic a2V5Og==', { rate: created.rates[0] });
  await sim.advance(60);
  await receiver.until((got) => got.length >= from + 2);
  const read = await call('/v2/shipments/shape', 'Basic a2V5Og==');
  const other = await carrier.Shipment.create(parcel);
  await carrier.Shipment.buy(other.id, other.rates[3]);
  const refunded = await call(`/v2/shipments/${other.id}/refund`, 'Basic a2V5Og==', {});
  return [
    ['Shipment', created], ['Shipment', sold], ['Shipment', read], ['Shipment', refunded], ['IRate', created.rates[3]],
    ['ITracker', sold.tracker], ['ITracker', await call(`/v2/trackers/${sold.tracker.id}`, 'Basic a2V5Og==')],
    ...receiver.got.slice(from, from + 2).map((delivery) => ['Event', delivery.event]),
  ];
}

test('carriers_objects_and_events__compile_as_the_sdks_types', async () => {
  const all = await carriers_objects();
  assert.equal(compile('carrier', all, CARRIER), '');
  const [type, tracker] = all.find(([name]) => name === 'ITracker');
  const { public_url: _, ...missing } = tracker;
  const errors = compile('carrier_wrong', [[type, missing], [type, { ...tracker, status: 'deliverd' }],
    [type, { ...tracker, sim_begun_us: 1 }]], CARRIER).split('\n');
  assert.match(errors[0], /public_url/);
  assert.match(errors[1], /"deliverd"/);
  assert.match(errors[2], /sim_begun_us/);
});

test('carriers_error_codes__are_of_the_sdks_list', async () => {
  const key = 'Basic a2V5Og==';
  const { id, rates: [rate] } = await call('/v2/shipments', key, { shipment: parcel });
  const codes = [];
  const code = async (...args) => codes.push(['TErrorCode', (await call(...args)).error.code]);
  await code(`/v2/shipments/${id}`, 'none');
  await code('/v2/shipments/nobody', key);
  await code('/v2/shipments', key, { shipment: {} });
  await code('/v2/shipments', key, { shipment: { ...parcel, parcel: { weight: 0 } } });
  await code('/v2/trackers', key, { tracker: {} });
  await code(`/v2/shipments/${id}/buy`, key, { rate: { id: 'rate_nobody' } });
  await code(`/v2/shipments/${id}/label?file_format=ZPL`, key);
  await code(`/v2/shipments/${id}/refund`, key, {});
  await call(`/v2/shipments/${id}/buy`, key, { rate });
  await code(`/v2/shipments/${id}/buy`, key, { rate });
  await code(`/v2/shipments/${id}/label?file_format=GIF`, key);
  await sim.advance(60);
  await code(`/v2/shipments/${id}/refund`, key, {});
  await sim.fault('500', '/v2/shipments/*');
  await code(`/v2/shipments/${id}`, key);
  assert.equal(compile('codes', codes, CARRIER), '');
});

test('enums__hold_documented_values', async () => {
  const statuses = ['requires_payment_method', 'requires_confirmation', 'requires_action', 'processing',
    'requires_capture', 'succeeded', 'canceled'];
  for (const [type, object] of await objects()) {
    if (type === 'Stripe.PaymentIntent') {
      assert.ok(statuses.includes(object.status), object.status);
      assert.ok(['automatic', 'automatic_async', 'manual'].includes(object.capture_method));
      assert.ok([null, 'card_error'].includes(object.last_payment_error?.type ?? null));
    }
    if (type === 'Stripe.Charge') assert.ok(['succeeded', 'pending', 'failed'].includes(object.status));
    if (type === 'Stripe.Refund')
      assert.ok(['pending', 'requires_action', 'succeeded', 'failed', 'canceled'].includes(object.status));
  }
});
