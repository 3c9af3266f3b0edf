import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonAt, readJsonPath } from '../../src/core/json-path.js';
import type { Colour } from '../../src/core/stop.js';
import { addToBlockLists, keepApart, type Side } from '../../src/k6/block-lists.js';
import { accessTo, withSecrets } from '../../src/plan/access.js';
import { loadTarget, shownTarget } from '../../src/plan/target.js';
import { load, planHere } from './profile-files.js';

describe('a way into JSON', () => {
  const document = { live: 'blue', a: { 'b-c': [{ d: 'green' }], length: 3 }, list: ['x', 'y'], '': 'empty' };

  test.each([
    ['$', document],
    ['$.live', 'blue'],
    ["$.a['b-c'][0].d", 'green'],
    ['$["a"]["b-c"][0]["d"]', 'green'],
    ['$.list[1]', 'y'],
    ['$.list[2]', undefined],
    ['$.list.length', undefined],
    ['$.a.length', 3],
    ["$.list['0']", undefined],
    ['$.live.x', undefined],
    ['$.constructor', undefined],
    ["$['__proto__']", undefined],
  ])('%s', (path, found) => {
    expect(jsonAt(document, readJsonPath(path) ?? ['unread'])).toEqual(found);
  });

  test.each(['', 'live', '$live', '$..live', '$.*', '$[*]', '$[?(@.live)]', '$[0:1]', '$.a-b', '$[-1]', "$['a', 'b']", '$.a[', '$.'])(
    '%s is none',
    (path) => {
      expect(readJsonPath(path)).toBeUndefined();
    },
  );

  test('leads to what it was made from', () => {
    const steps = fc.array(fc.oneof(fc.nat({ max: 3 }), fc.stringMatching(/^[^'\\]{1,6}$/)), { maxLength: 5 });
    fc.assert(
      fc.property(steps, (path) => {
        const text = `$${path.map((step) => (typeof step === 'number' ? `[${step}]` : `['${step}']`)).join('')}`;
        expect(readJsonPath(text)).toEqual(path);
        const document = path.reduceRight<unknown>(
          (inner, step) => (typeof step === 'number' ? [...Array(step), inner] : { [step]: inner }),
          'here',
        );
        if (!path.includes('__proto__')) expect(jsonAt(document, path)).toBe('here');
      }),
    );
  });
});

describe('a target with colours', () => {
  const loaded = load({
    'test.yaml': `target: {colours: {blue: "https://u:hunter22@blue.example.com", green: https://green.example.com/api}, health: /healthz, live: {url: "https://example.com/c?token=hunter22", header: x-live, every: 5s}}
workload: {script: k6.ts}
`,
  });

  test('is planned without knowing which one is live', () => {
    expect(planHere(loaded).target).toEqual({
      health: '/healthz',
      colours: { blue: 'https://u:[redacted]@blue.example.com', green: 'https://green.example.com/api' },
      live: { url: 'https://example.com/c?token=[redacted]', header: 'x-live', every: 5000 },
    });
  });

  test('is loaded where it is not live', () => {
    const whole = withSecrets(planHere(loaded), accessTo(loaded));
    expect(loadTarget(whole, 'blue')).toEqual({
      url: 'https://green.example.com/api',
      health: 'https://green.example.com/api/healthz',
      colour: { loaded: 'green', live: 'blue', liveUrl: 'https://u:hunter22@blue.example.com' },
    });
    expect(loadTarget(whole, 'green').url).toBe('https://u:hunter22@blue.example.com');
    expect(JSON.stringify(['blue', 'green'].map((live) => shownTarget(loadTarget(whole, live as 'blue'))))).not.toContain('hunter22');
  });
});

describe('runners are kept away from the live colour', () => {
  const side = (name: Colour, host: string, ...addresses: string[]): Side => ({ name, host, addresses });
  const green = side('green', 'green.example.com', '10.0.0.2');

  test('by its name and its addresses, and by the name of the place that tells which one is live', () => {
    expect(keepApart(side('blue', 'blue.example.com', '10.0.0.1', 'fd00::1'), green, 'example.com')).toEqual({
      blockHostnames: ['blue.example.com', 'example.com'],
      blacklistIPs: ['10.0.0.1/32', 'fd00::1/128'],
      gaps: [],
    });
  });

  test('by its name alone where addresses are shared or not known', () => {
    const shared = keepApart(side('blue', 'blue.example.com', '10.0.0.1', '10.0.0.2'), green, 'green.example.com');
    expect(shared).toEqual({
      blockHostnames: ['blue.example.com'],
      blacklistIPs: ['10.0.0.1/32'],
      gaps: [{ why: 'shared-address', live: 'blue', loaded: 'green', host: 'blue.example.com', addresses: ['10.0.0.2'], byName: true }],
    });
    expect(keepApart(side('blue', 'blue.example.com'), green, undefined).gaps).toEqual([
      { why: 'unresolved', live: 'blue', loaded: 'green', host: 'blue.example.com', byName: true },
    ]);
  });

  test('by its address alone where it has no name that k6 takes', () => {
    expect(keepApart(side('blue', '10.0.0.1', '10.0.0.1'), green, '10.0.0.9')).toEqual({
      blockHostnames: [],
      blacklistIPs: ['10.0.0.1/32'],
      gaps: [],
    });
    expect(keepApart(side('blue', 'blue_1.example.com', '10.0.0.1'), green, undefined)).toEqual({
      blockHostnames: [],
      blacklistIPs: ['10.0.0.1/32'],
      gaps: [{ why: 'no-name', live: 'blue', loaded: 'green', host: 'blue_1.example.com' }],
    });
  });

  test('not at all where both are one host', () => {
    expect(keepApart(side('blue', '127.0.0.1', '127.0.0.1'), side('green', '127.0.0.1', '127.0.0.1'), 'example.com')).toEqual({
      blockHostnames: ['example.com'],
      blacklistIPs: [],
      gaps: [{ why: 'same-host', live: 'blue', loaded: 'green', host: '127.0.0.1' }],
    });
  });

  test('beside what is blocked already', () => {
    const options = { blockHostnames: ['*.example.org', 'example.com'], vus: 3 };
    expect(addToBlockLists(options, { blockHostnames: ['example.com', 'b'], blacklistIPs: [] })).toEqual({
      blockHostnames: ['*.example.org', 'example.com', 'b'],
    });
    expect(addToBlockLists({ blacklistIPs: null }, { blockHostnames: [], blacklistIPs: ['10.0.0.1/32'] })).toEqual({
      blacklistIPs: ['10.0.0.1/32'],
    });
    expect(addToBlockLists(options, { blockHostnames: [], blacklistIPs: [] })).toEqual({});
  });
});
