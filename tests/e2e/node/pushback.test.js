// What our refusals do to grpc-js when it retries: run.sh lets ListStockMovements be called four times a second.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { call, details, InventoryService, open, status } from './orderd.js';

// A client left to its own backoff would come back after 20 s, when its deadline has passed.
const policy = { maxAttempts: 5, initialBackoff: '20s', maxBackoff: '20s', backoffMultiplier: 1,
  retryableStatusCodes: ['RESOURCE_EXHAUSTED'] };
const config = { methodConfig: [{ name: [{ service: 'orderd.v1.InventoryService' }], retryPolicy: policy }] };
const patient = open(InventoryService, { 'grpc.service_config': JSON.stringify(config), 'grpc.enable_retries': 1 });
const hasty = open(InventoryService, { 'grpc.enable_retries': 0 });
const list = (client) => call(client, 'ListStockMovements', { sku: 'mug', page_size: 1 }, { deadline: Date.now() + 15000 });

test.after(() => [patient, hasty].forEach((client) => client.close()));

test('who calls too often is told when to come back, to the millisecond', async () => {
  const errors = (await Promise.allSettled(Array.from({ length: 10 }, () => list(hasty))))
    .filter(({ reason }) => reason?.code === status.RESOURCE_EXHAUSTED).map(({ reason }) => reason);
  assert.ok(errors.length > 0);
  const told = details(errors[0]);
  const { seconds, nanos } = told.RetryInfo.retry_delay;
  const ms = Number(seconds) * 1000 + nanos / 1e6;
  assert.equal(told.ErrorInfo.reason, 'RATE_LIMITED');
  assert.equal(told.QuotaFailure.violations[0].subject, 'tenant:1');
  assert.ok(ms > 0 && ms <= 250, `${ms}`);
  assert.deepEqual(errors[0].metadata.get('grpc-retry-pushback-ms'), [`${ms}`]);
});

test('grpc-js comes back when it was told to', async () => {
  for (let n = 0; n < 4; n++)
    await assert.doesNotReject(list(patient).catch((error) => {
      assert.notEqual(error.code, status.RESOURCE_EXHAUSTED, error.message);
      assert.equal(error.code, status.NOT_FOUND, error.message); // the request was looked at
    }));
});
