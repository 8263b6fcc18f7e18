// EasyPost's own SDK against the carrier of orderd-sim.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { Sim } from './sim.js';

// Its ES module names no exports that node can see; the CommonJS one does.
const EasyPost = createRequire(import.meta.url)('@easypost/api');

let sim;
let carrier;

before(async () => {
  sim = await Sim.start();
  carrier = new EasyPost('key', { baseUrl: `${sim.url}/v2/` });
});

after(() => sim.stop());

function parcel(more = {}) {
  return {
    to_address: { name: 'A', street1: '1 Main St', city: 'Springfield', zip: '62701', country: 'US' },
    from_address: { name: 'B', street1: '2 Dock Rd', city: 'Oakland', zip: '94607', country: 'US' },
    parcel: { length: 10, width: 8, height: 4, weight: 15.4 }, ...more,
  };
}

async function bought(more) {
  const shipment = await carrier.Shipment.create(parcel(more));
  return carrier.Shipment.buy(shipment.id, shipment.lowestRate());
}

async function failure(promise) {
  const result = await promise.then((value) => ({ value }), (error) => ({ error }));
  assert.ok(result.error, `no error but ${JSON.stringify(result.value)}`);
  return result.error;
}

test('create__rates_depend_on_weight_and_country', async () => {
  const near = await carrier.Shipment.create(parcel());
  assert.match(near.id, /^shp_[0-9a-f]{32}$/);
  assert.deepEqual(near.rates.map((rate) => [rate.service, rate.rate, rate.currency]), [
    ['GroundAdvantage', '5.78', 'USD'], ['Priority', '9.87', 'USD'], ['Express', '30.15', 'USD'],
    ['Ground', '9.21', 'USD']]);
  assert.deepEqual(near.rates.map((rate) => [rate.carrier, rate.delivery_days]),
    [['USPS', 5], ['USPS', 2], ['USPS', 1], ['UPS', 3]]);
  assert.equal(near.lowestRate().service, 'GroundAdvantage');
  assert.equal(near.lowestRate(['UPS']).service, 'Ground');
  const far = await carrier.Shipment.create(parcel({ to_address: { country: 'DE', zip: '10115' } }));
  assert.equal(far.rates.length, 3);
  const nowhere = await carrier.Shipment.create(parcel({ to_address: { country: 'US', zip: '00000' } }));
  assert.equal(nowhere.rates.length, 0);
  assert.deepEqual(nowhere.messages.map((one) => [one.carrier, one.type]),
    [['USPS', 'rate_error'], ['UPS', 'rate_error']]);
});

test('rate_is_a_week_old__cannot_be_bought_until_asked_for_again', async () => {
  const shipment = await carrier.Shipment.create(parcel());
  await sim.advance(7 * 86400 - 60);
  assert.ok((await bought()).tracking_code, 'others are young');
  await sim.advance(60);
  const error = await failure(carrier.Shipment.buy(shipment.id, shipment.rates[0]));
  assert.equal(error.statusCode, 422);
  assert.equal(error.code, 'SHIPMENT.MISSING_RATE');
  assert.match(error.message, /expired/);
  assert.ok(!(await sim.charges()).some((fact) => fact.shipment === shipment.id));
  const { rates } = await carrier.Shipment.regenerateRates(shipment.id);
  assert.deepEqual(rates.map((rate) => rate.rate), shipment.rates.map((rate) => rate.rate));
  assert.ok(rates.every((rate) => !shipment.rates.some((old) => old.id === rate.id)));
  const stale = await failure(carrier.Shipment.buy(shipment.id, shipment.rates[0]));
  assert.equal(stale.code, 'SHIPMENT.MISSING_RATE');
  const sold = await carrier.Shipment.buy(shipment.id, rates[0]);
  assert.equal(sold.selected_rate.id, rates[0].id);
});

test('second_carrier__label_and_tracker_are_its_own', async () => {
  const shipment = await carrier.Shipment.create(parcel());
  const sold = await carrier.Shipment.buy(shipment.id, shipment.lowestRate(['UPS']));
  assert.match(sold.tracking_code, /^1Z\d{16}$/);
  assert.equal(sold.tracker.carrier, 'UPS');
  assert.equal(sold.tracker.tracking_details[0].source, 'UPS');
});

test('buy__label_tracking_code_and_tracker', async () => {
  const shipment = await bought({ reference: 'parcel-1' });
  assert.match(shipment.tracking_code, /^94001\d{17}$/);
  assert.equal(shipment.selected_rate.rate, '5.78');
  assert.equal(shipment.tracker.tracking_code, shipment.tracking_code);
  const pdf = await fetch(shipment.postage_label.label_url);
  assert.equal(pdf.headers.get('content-type'), 'application/pdf');
  assert.match(await pdf.text(), /^%PDF-1\.4[\s\S]*%%EOF\n$/);
  const zpl = await carrier.Shipment.convertLabelFormat(shipment.id, 'ZPL');
  const text = await (await fetch(zpl.postage_label.label_zpl_url)).text();
  assert.match(text, /^\^XA[\s\S]*\^XZ\n$/);
  assert.ok(text.includes(shipment.tracking_code));
  const label = (await sim.charges()).find((fact) => fact.kind === 'label' && fact.reference === 'parcel-1');
  assert.equal(label.shipment, shipment.id);
  assert.equal(label.tracking_code, shipment.tracking_code);
  assert.equal(label.rate_minor, 578);
});

test('buy_twice__is_refused_and_one_label_is_paid', async () => {
  const shipment = await bought();
  const error = await failure(carrier.Shipment.buy(shipment.id, shipment.rates[1]));
  assert.equal(error.statusCode, 422);
  assert.equal(error.code, 'SHIPMENT.POSTAGE.EXISTS');
  assert.equal((await sim.charges()).filter((fact) => fact.shipment === shipment.id).length, 1);
});

test('answer_to_buy_is_lost__shipment_is_found_by_reference', async () => {
  const shipment = await carrier.Shipment.create(parcel({ reference: 'lost-answer' }));
  await sim.fault('drop_after', '/v2/shipments/*/buy');
  await failure(carrier.Shipment.buy(shipment.id, shipment.rates[0]));
  const found = await carrier.Shipment.retrieve('lost-answer');
  assert.equal(found.id, shipment.id);
  assert.ok(found.postage_label.label_url);
  const listed = await carrier.Shipment.all({ page_size: 5 });
  assert.equal(listed.shipments[0].reference, 'lost-answer');
});

test('scans__parcel_is_followed_to_the_door', async () => {
  const shipment = await bought();
  const seen = [];
  for (let i = 0; i < 5; i++) {
    const tracker = await carrier.Tracker.retrieve(shipment.tracker.id);
    seen.push([tracker.status, tracker.tracking_details.length]);
    await sim.advance(60);
  }
  assert.deepEqual(seen, [['pre_transit', 1], ['in_transit', 2], ['out_for_delivery', 3], ['delivered', 4],
    ['delivered', 4]]);
  assert.equal((await carrier.Shipment.retrieve(shipment.id)).status, 'delivered');
});

test('tracker_by_code__one_per_code_and_test_codes_stand_still', async () => {
  const shipment = await bought();
  const same = await carrier.Tracker.create({ tracking_code: shipment.tracking_code, carrier: 'USPS' });
  assert.equal(same.id, shipment.tracker.id);
  for (const [code, status] of [['EZ1000000001', 'pre_transit'], ['EZ4000000004', 'delivered'],
    ['EZ5000000005', 'return_to_sender'], ['EZ6000000006', 'failure']]) {
    const tracker = await carrier.Tracker.create({ tracking_code: code });
    assert.equal(tracker.status, status);
  }
});

test('refund__before_the_first_scan_only', async () => {
  const early = await bought();
  assert.equal((await carrier.Shipment.refund(early.id)).refund_status, 'submitted');
  assert.equal((await carrier.Shipment.refund(early.id)).refund_status, 'submitted');
  const facts = (await sim.charges()).filter((fact) => fact.shipment === early.id);
  assert.deepEqual(facts.map((fact) => fact.kind), ['label', 'label_refund']);
  const late = await bought();
  await sim.advance(60);
  const error = await failure(carrier.Shipment.refund(late.id));
  assert.equal(error.statusCode, 422);
  assert.equal(error.code, 'SHIPMENT.REFUND.UNAVAILABLE');
  assert.equal((await carrier.Shipment.retrieve(late.id)).refund_status, null);
  await sim.advance(60);
  assert.equal((await carrier.Shipment.retrieve(early.id)).refund_status, 'refunded');
  assert.equal((await carrier.Shipment.refund(early.id)).refund_status, 'refunded');
  assert.equal((await sim.charges()).filter((fact) => fact.shipment === early.id).length, 2);
});

test('options__rates_and_refunds_may_be_quick', async () => {
  const quick = await Sim.start('--rate-life-s', '0', '--refund-s', '0');
  try {
    const other = new EasyPost('key', { baseUrl: `${quick.url}/v2/` });
    const old = await other.Shipment.create(parcel());
    assert.equal((await failure(other.Shipment.buy(old.id, old.rates[0]))).code, 'SHIPMENT.MISSING_RATE');
    await quick.kill();
    quick.options = ['--refund-s', '0', '--scan-ms', '60000'];
    await quick.spawn();
    const again = new EasyPost('key', { baseUrl: `${quick.url}/v2/` });
    await again.Shipment.buy(old.id, old.rates[0]);
    assert.equal((await again.Shipment.refund(old.id)).refund_status, 'refunded');
  } finally {
    await quick.stop();
  }
});

test('mistakes__are_the_vendors_errors', async () => {
  const none = await failure(carrier.Shipment.retrieve('shp_nobody'));
  assert.equal(none.statusCode, 404);
  const bare = await failure(carrier.Shipment.create({ to_address: {}, from_address: {} }));
  assert.equal(bare.code, 'PARAMETER.REQUIRED');
  assert.equal(bare.errors[0].field, 'parcel');
  const shipment = await carrier.Shipment.create(parcel());
  const other = await failure(carrier.Shipment.buy(shipment.id, 'rate_nobody'));
  assert.equal(other.statusCode, 422);
  assert.equal((await fetch(`${sim.url}/v2/shipments`)).status, 401);
});

test('faults__are_the_vendors_errors', async () => {
  await sim.fault('429', '/v2/shipments');
  const busy = await failure(carrier.Shipment.create(parcel()));
  assert.equal(busy.statusCode, 429);
  assert.equal(busy.code, 'RATE_LIMITED');
  await sim.fault('500', '/v2/shipments');
  const broken = await failure(carrier.Shipment.create(parcel()));
  assert.equal(broken.statusCode, 500);
  assert.equal(broken.code, 'INTERNAL_SERVER_ERROR');
});
