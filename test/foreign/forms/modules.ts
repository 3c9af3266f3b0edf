import type { Form } from '../form.js';

/** Every module of k6 that loopback is enough for. */
export const modules: readonly Form[] = [
  { script: 'nothing-but-work.js', ends: 0 },
  { script: 'shared-array.js', ends: 0 },
  { script: 'encoding-and-crypto.js', ends: 0 },
  { script: 'web-crypto.js', ends: 0 },
  { script: 'html.js', ends: 0 },
  { script: 'random-seed.js', ends: 0 },
  { script: 'execution.js', ends: 0 },
  { script: 'vu-ids.js', ends: 0 },
  { script: 'vu-global.js', ends: 0 },
  { script: 'iter-global.js', ends: 0 },
  { script: 'stage-tags.js', ends: 0 },
  { script: 'exported-options.js', ends: 0 },
  { script: 'ws-callbacks.js', ends: 0, env: ({ site }) => ({ WS_URL: `ws://${site.place}/ws` }) },
  { script: 'websocket-events.js', ends: 0, env: ({ site }) => ({ WS_URL: `ws://${site.place}/ws` }) },
  { script: 'timers.js', ends: 0 },
  { script: 'grpc-load.js', ends: 0 },
  { script: 'grpc-call.js', ends: 0, env: ({ greeter }) => ({ GRPC_ADDRESS: greeter.address }) },
  { script: 'grpc-only.js', ends: 0, target: 'greeter' },
  { script: 'fs-open.js', ends: 0 },
  { script: 'csv-parse.js', ends: 0 },
  { script: 'streams.js', ends: 0 },
  { script: 'secrets.js', ends: 0, env: () => ({ K6_SECRET_SOURCE: 'mock=default,door=sesame' }) },
  { script: 'removed-module.js', ends: 107 },
];
