// render.mjs A.zpl A.png [B.zpl B.png ...]: what a label printer of 203 dpi would print.  It must be one label each.
import { readFileSync, writeFileSync } from 'node:fs';
import { ready } from 'zpl-renderer-js';

const { api } = await ready;
const files = process.argv.slice(2);
for (let i = 0; i < files.length; i += 2) {
  const labels = await api.zplToBase64MultipleAsync(readFileSync(files[i], 'utf8'), 101.6, 152.4, 8);
  if (labels.length !== 1)
    throw new Error(`${files[i]} prints ${labels.length} labels`);
  writeFileSync(files[i + 1], Buffer.from(labels[0], 'base64'));
}
process.exit(0); // the renderer's runtime would wait for more
