// Parcels that do not go straight to the door, and the carrier's webhooks about them, judged by EasyPost's own SDK.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { Receiver } from './receiver.js';
import { Sim } from './sim.js';

const EasyPost = createRequire(import.meta.url)('@easypost/api');
const SECRET = 'judge-of-the-carrier';
let sim;
let carrier;
let receiver;

before(async () => {
  sim = await Sim.start();
  carrier = new EasyPost('key', { baseUrl: `${sim.url}/v2/` });
  receiver = await Receiver.start();
});

after(async () => {
  await sim.stop();
  await receiver.stop();
});

async function bought(to = {}, weight = 16) {
  const shipment = await carrier.Shipment.create({
    to_address: { name: 'A', street1: '1 Main St', city: 'Springfield', zip: '62701', country: 'US', ...to },
    from_address: { name: 'B', street1: '2 Dock Rd', city: 'Oakland', zip: '94607', country: 'US' },
    parcel: { length: 10, width: 8, height: 4, weight },
  });
  return carrier.Shipment.buy(shipment.id, shipment.lowestRate());
}

// Once per scan interval: [status, the newest scan's minute since the purchase].
async function followed(shipment, minutes) {
  const seen = [];
  for (let i = 0; i <= minutes; i++) {
    const tracker = await carrier.Tracker.retrieve(shipment.tracker.id);
    const [first] = tracker.tracking_details;
    const newest = tracker.tracking_details.at(-1);
    assert.equal(tracker.status, newest.status);
    seen.push(`${tracker.status} ${(Date.parse(newest.datetime) - Date.parse(first.datetime)) / 60000}`);
    await sim.advance(60);
  }
  return seen;
}

for (const [zip, name, scans] of [
  ['99001', 'Sim Returned', ['pre_transit 0', 'in_transit 1', 'out_for_delivery 2', 'return_to_sender 3',
    'return_to_sender 4', 'in_transit 5', 'delivered 6', 'delivered 6']],
  ['99002', 'Sim Exception', ['pre_transit 0', 'in_transit 1', 'out_for_delivery 2', 'failure 3',
    'out_for_delivery 4', 'delivered 5', 'delivered 5']],
  ['99003', 'Sim Jumbled', ['pre_transit 0', 'in_transit 1', 'in_transit 1', 'delivered 4', 'out_for_delivery 3',
    'in_transit 2', 'delivered 4', 'in_transit 2', 'in_transit 2']],
  ['99004', 'Sim Pickup', ['pre_transit 0', 'in_transit 1', 'in_transit 2', 'available_for_pickup 3', 'delivered 4',
    'delivered 4']],
  ['99005', 'Sim Lost', ['pre_transit 0', 'in_transit 1', 'in_transit 2', 'failure 3', 'failure 3']],
]) {
  test(`zip_${zip}_or_${name.replace(' ', '_')}__has_its_script`, async () => {
    assert.deepEqual(await followed(await bought({ zip }), scans.length - 1), scans);
    assert.deepEqual(await followed(await bought({ name }), scans.length - 1), scans);
  });
}

test('return_leg__ends_at_the_sender', async () => {
  const shipment = await bought({ zip: '99001' });
  await sim.advance(600);
  const { tracking_details: details } = await carrier.Tracker.retrieve(shipment.tracker.id);
  assert.equal(details[3].status_detail, 'refused');
  assert.equal(details[3].tracking_location.city, 'Springfield');
  assert.equal(details.at(-1).tracking_location.city, 'Oakland');
});

test('script_for_a_parcel_under_way__what_was_seen_stays', async () => {
  const shipment = await bought();
  await sim.advance(60);
  await sim.control('scans', { tracking_code: shipment.tracking_code, scans: [
    { after_ms: 0, status: 'in_transit', status_detail: 'held', message: 'Held', city: 'Reno' },
    { after_ms: 60000, at_ms: -120000, status: 'failure', status_detail: 'damaged' },
  ] });
  const held = await carrier.Tracker.retrieve(shipment.tracker.id);
  assert.deepEqual(held.tracking_details.map((one) => one.status_detail),
    ['label_created', 'arrived_at_facility', 'held']);
  assert.equal(held.tracking_details[2].message, 'Held');
  assert.equal(held.tracking_details[2].tracking_location.city, 'Reno');
  assert.equal(held.finalized, false);
  await sim.advance(60);
  const damaged = await carrier.Tracker.retrieve(shipment.tracker.id);
  assert.equal(damaged.status, 'failure');
  assert.equal(damaged.finalized, true);
  assert.ok(Date.parse(damaged.tracking_details[3].datetime) < Date.parse(held.tracking_details[2].datetime));
});

test('script_set_for_a_zip_or_name__parcels_bought_later_follow_it_after_a_restart_too', async () => {
  const scans = [{ after_ms: 1000, status: 'delivered', status_detail: 'arrived_at_destination' }];
  await sim.control('scans', { zip: '12345', scans });
  await sim.control('scans', { name: 'Slow Joe', scans: [{ after_ms: 86400000, status: 'in_transit' }] });
  await sim.kill();
  await sim.spawn();
  carrier = new EasyPost('key', { baseUrl: `${sim.url}/v2/` });
  const quick = await bought({ zip: '12345' });
  const slow = await bought({ name: 'Slow Joe' });
  await sim.advance(2);
  assert.equal((await carrier.Tracker.retrieve(quick.tracker.id)).status, 'delivered');
  await sim.advance(3600);
  assert.equal((await carrier.Tracker.retrieve(slow.tracker.id)).status, 'pre_transit');
  await sim.advance(86400);
  assert.equal((await carrier.Tracker.retrieve(slow.tracker.id)).status, 'in_transit');
});

test('wrong_scripts__are_named', async () => {
  const fine = { after_ms: 0, status: 'delivered' };
  for (const [body, why] of [
    [{ zip: '1' }, /array/],
    [{ zip: '1', name: 'A', scans: [fine] }, /one of/],
    [{ scans: [fine] }, /one of/],
    [{ zip: '1', scans: [{ ...fine, status: 'deliverd' }] }, /status must/],
    [{ zip: '1', scans: [{ ...fine, status_detail: 'at home' }] }, /status_detail/],
    [{ zip: '1', scans: [{ ...fine, after_ms: 5 }, fine] }, /after_ms/],
    [{ zip: '1', scans: [{ ...fine, at_ms: 'now' }] }, /at_ms/],
    [{ zip: '1', scans: [7] }, /object/],
    [{ zip: '1', scans: Array.from({ length: 101 }, () => fine) }, /at most 100/],
  ]) await assert.rejects(sim.control('scans', body), (error) => / 400 /.test(error.message) && why.test(error.message));
  await assert.rejects(sim.control('scans', { tracking_code: 'nobody', scans: [fine] }), / 404 /);
});

test('public_url__tells_the_scans', async () => {
  const shipment = await bought();
  await sim.advance(60);
  const page = await fetch(shipment.tracker.public_url);
  assert.match(page.headers.get('content-type'), /^text\/plain/);
  const text = await page.text();
  assert.ok(text.startsWith(shipment.tracking_code));
  assert.match(text, /pre_transit {2}Label created {2}Oakland\n.*in_transit {2}Arrived at facility/);
});

// ---- webhooks ----

// The first n deliveries about a parcel.
function about(shipment, n) {
  return receiver.until((got) => {
    const found = got.filter((delivery) => delivery.event.result.tracking_code === shipment.tracking_code);
    return found.length >= n && found.slice(0, n);
  });
}

// The same as events, every one of them accepted by the SDK.
async function told(shipment, n) {
  const found = await about(shipment, n);
  return found.map((delivery) => carrier.Utils.validateWebhook(delivery.raw, delivery.headers, SECRET));
}

// Webhooks that fall due together are under way together: which one arrives first is nobody's promise.
function as_scanned(events) {
  return events.toSorted((a, b) => a.result.tracking_details.length - b.result.tracking_details.length);
}

async function heard() {
  await sim.listen({ carrier: { url: receiver.url, secret: SECRET, first_ms: 10 } });
}

test('each_scan__is_told', async () => {
  await heard();
  const shipment = await bought();
  for (let i = 1; i <= 4; i++) {
    await told(shipment, i);
    await sim.advance(60);
  }
  const events = await told(shipment, 4);
  assert.deepEqual(events.map((event) => [event.description, event.result.status, event.previous_attributes.status]), [
    ['tracker.created', 'pre_transit', undefined], ['tracker.updated', 'in_transit', 'pre_transit'],
    ['tracker.updated', 'out_for_delivery', 'in_transit'], ['tracker.updated', 'delivered', 'out_for_delivery']]);
  assert.match(events[0].id, /^evt_[0-9a-f]{32}$/);
  assert.deepEqual(events[3].result.tracking_details.map((one) => one.status),
    ['pre_transit', 'in_transit', 'out_for_delivery', 'delivered']);
  assert.deepEqual(events[3].pending_urls, [receiver.url]);
  assert.ok(receiver.got.every((delivery) => /"weight":16\.0[,}]/.test(delivery.raw)), 'weights are floats');
});

test('time_goes_by__scans_are_told_without_anybody_asking', async () => {
  const quick = await Sim.start('--scan-ms', '20');
  try {
    await quick.listen({ carrier: { url: receiver.url, secret: SECRET } });
    carrier = new EasyPost('key', { baseUrl: `${quick.url}/v2/` });
    const events = await told(await bought({ zip: '99003' }), 8);
    assert.deepEqual(as_scanned(events).map((event) => event.result.status), ['pre_transit', 'in_transit', 'in_transit',
      'delivered', 'out_for_delivery', 'in_transit', 'delivered', 'in_transit']);
  } finally {
    carrier = new EasyPost('key', { baseUrl: `${sim.url}/v2/` });
    await quick.stop();
  }
});

test('scan_fell_due_while_it_was_down__is_told_at_the_next_start', async () => {
  await heard();
  const shipment = await bought();
  await told(shipment, 1);
  await sim.webhooks_until((now) => now.carrier.waiting === 0);
  await sim.advance(30);
  await sim.kill();
  sim.options = ['--scan-ms', '1'];
  await sim.spawn();
  sim.options = ['--scan-ms', '60000'];
  carrier = new EasyPost('key', { baseUrl: `${sim.url}/v2/` });
  const events = as_scanned(await told(shipment, 4));
  assert.deepEqual(events.map((event) => [event.result.status, event.result.tracking_details.length]), [
    ['pre_transit', 1], ['in_transit', 2], ['out_for_delivery', 3], ['delivered', 4]]);
  await sim.kill();
  await sim.spawn();
  carrier = new EasyPost('key', { baseUrl: `${sim.url}/v2/` });
});

test('script_for_now__is_told_at_once_and_a_refund_too', async () => {
  await heard();
  const shipment = await bought();
  const refunded = await bought();
  const scans = [{ after_ms: 0, status: 'error', status_detail: 'awaiting_information' }];
  await sim.control('scans', { tracking_code: shipment.tracking_code, scans });
  assert.equal(as_scanned(await told(shipment, 2))[1].result.status, 'error');
  await carrier.Shipment.refund(refunded.id);
  assert.equal((await told(refunded, 2))[1].result.status, 'cancelled');
  await sim.advance(600);
  assert.equal((await carrier.Tracker.retrieve(refunded.tracker.id)).status, 'cancelled', 'it goes nowhere');
});

test('faults__double_and_spoil_the_carriers_webhooks_too', async () => {
  await heard();
  await sim.fault('doubled', '/webhooks/carrier/tracker.created');
  const twice = await bought();
  const [first, second] = await told(twice, 2);
  assert.equal(second.id, first.id);
  await sim.fault('bad_signature', '/webhooks/carrier/*');
  const spoiled = await bought();
  const mismatch = /secret mismatch/;
  await assert.rejects(told(spoiled, 1), mismatch);
  const [fine] = await about(twice, 1);
  const judge = (raw, secret) => carrier.Utils.validateWebhook(raw, fine.headers, secret);
  assert.equal(judge(fine.raw, SECRET).id, first.id);
  assert.throws(() => judge(fine.raw, 'other'), mismatch);
  assert.throws(() => judge(fine.raw.replace('pre_transit', 'delivered'), SECRET), mismatch);
});
