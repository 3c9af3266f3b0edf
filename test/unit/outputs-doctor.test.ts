import { expect, test } from 'vitest';
import { openRedactor } from '../../src/core/redactor.js';
import { tryOutputs } from '../../src/phases/outputs/try-outputs.js';
import { accessTo } from '../../src/plan/access.js';
import { openWorld } from '../../src/world.js';
import { startAnnotations } from '../servers/grafana.js';
import { startSink } from '../support/sink.js';
import { load, planHere } from './profile-files.js';

test('a test goes through each output that no one is paged by, and is looked for where that is possible', async () => {
  const [hook, slack, teams, pager] = await Promise.all([startSink(), startSink(), startSink(), startSink()]);
  const [influx, grafana] = await Promise.all([startSink(), startAnnotations('t')]);
  slack.answer({ status: 404, body: 'no_service' });
  influx.answer({ status: 204 });
  const loaded = load({
    'test.yaml': `target: {url: http://127.0.0.1:8080}
workload: {script: k6.ts, vus: 1, duration: 1m}
outputs:
  hook: {kind: webhook, url: "${hook.url}/secret-path"}
  slack: {kind: slack, webhook: "${slack.url}/services/secret"}
  teams: {kind: teams, webhook: "${teams.url}/secret"}
  oncall: {kind: pagerduty, routingKey: key-of-oncall, url: "${pager.url}"}
  two: {kind: influxdb, url: "${influx.url}", bucket: b, token: t}
  graf: {kind: grafana, url: "${grafana.url}", token: t}
  links: {kind: grafana, url: "${grafana.url}"}
`,
  });
  const plan = planHere(loaded);
  const trying = { plan, access: accessTo(loaded), world: openWorld(), version: '1.2.3', redact: openRedactor() };
  expect(await tryOutputs(trying)).toEqual([
    { output: 'hook', kind: 'webhook', is: 'taken' },
    { output: 'slack', kind: 'slack', is: 'failed', why: 'it answered 404 (no_service)' },
    { output: 'teams', kind: 'teams', is: 'taken' },
    { output: 'oncall', kind: 'pagerduty', is: 'pages' },
    { output: 'two', kind: 'influxdb', is: 'taken' },
    { output: 'graf', kind: 'grafana', is: 'found' },
    { output: 'links', kind: 'grafana', is: 'nothing' },
  ]);
  expect(pager.sent).toEqual([]);
  expect(JSON.parse(hook.taken[0]?.body ?? '')).toMatchObject({ type: 'run.test', data: { environment: 'test' } });
  expect(grafana.kept).toMatchObject([{ tags: expect.arrayContaining(['loadctl', 'test']) }]);

  expect(await tryOutputs({ ...trying, only: 'oncall' })).toEqual([{ output: 'oncall', kind: 'pagerduty', is: 'taken' }]);
  const events = pager.taken.map(({ body }) => JSON.parse(body));
  expect(events.map(({ event_action: action }) => action)).toEqual(['trigger', 'resolve']);
  expect(events[0].payload.severity).toBe('info');
  expect(events[1].dedup_key).toBe(events[0].dedup_key);
});
