// The TypeScript compiler as judge of shapes: objects of orderd-sim are written out as
// literals of the SDK's types.  A missing, mistyped or unknown field does not compile.
// The SDK leaves its enums open, so their values are compared with closed lists here.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import Stripe from 'stripe';
import { Sim } from './sim.js';

const here = dirname(fileURLToPath(import.meta.url));
let sim;
let dir;
let stripe;

before(async () => {
  sim = await Sim.start();
  // Below this folder, so that the compiler finds the SDK's types.
  dir = mkdtempSync(join(here, 'node_modules', '.shape-'));
  stripe = new Stripe('sk_test_judge', {
    host: '127.0.0.1', port: sim.port, protocol: 'http', maxNetworkRetries: 0, telemetry: false,
  });
});

after(() => {
  rmSync(dir, { recursive: true });
  return sim.stop();
});

async function get(path) {
  const answer = await fetch(`${sim.url}${path}`, { headers: { Authorization: 'Bearer sk_test_judge' } });
  assert.equal(answer.status, 200);
  return answer.json();
}

// What the compiler says about [type, object] pairs; "" when it is content.
function compile(name, pairs) {
  const lines = pairs.map(([type, object], i) => `const o${i}: ${type} = ${JSON.stringify(object)};`);
  const config = {
    compilerOptions: {
      noEmit: true, strict: true, skipLibCheck: true, types: [], module: 'nodenext', target: 'es2022',
    },
    files: [`${name}.ts`],
  };
  writeFileSync(join(dir, `${name}.ts`), `import Stripe from 'stripe';\n${lines.join('\n')}\nexport {};\n`);
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
