// load.js TARGET CALLS: so many calls at a time, for as long as stdin is open; then one line of JSON, {status: number}.
// Answers so far stand on stdout meanwhile, a number a line.
import grpc from '@grpc/grpc-js';

const [target, atOnce] = process.argv.slice(2);
const client = new grpc.Client(target, grpc.credentials.createInsecure(), {
  'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 500,
});
const counts = {};
let over = false;
let flying = 0;

// BatchGetOrders of nobody's order: 36 bytes of field 1.
const request = Buffer.from('\n\u002401890000-0000-7000-8000-000000000000');
const same = (bytes) => bytes;

function ask() {
  flying += 1;
  client.makeUnaryRequest('/orderd.v1.OrderService/BatchGetOrders', same, same, request, { deadline: Date.now() + 30000 }, (error) => {
    const name = error ? `${grpc.status[error.code]}: ${error.details}` : 'OK';
    counts[name] = (counts[name] ?? 0) + 1;
    flying -= 1;
    if (!over) ask();
    else if (flying === 0) end();
  });
}

function end() {
  console.log(JSON.stringify(counts));
  client.close();
}

for (let n = 0; n < Number(atOnce); n += 1) ask();
const tell = setInterval(() => console.log(counts.OK ?? 0), 50);
process.stdin.resume().on('end', () => {
  over = true;
  clearInterval(tell);
});
