import { expect, test } from 'vitest';
import { refuseOtherDoor } from '../../src/commands/cluster/follow-run.js';
import { refuseAnother } from '../../src/commands/cluster/start-conductor.js';
import { doorProtocol } from '../../src/door/protocol.js';
import { runId } from '../support/ids.js';
import { complaint } from './profile-files.js';

const same = { protocol: doorProtocol, loadctl: '0.1.0', k6: 'v2.2.0' };

test.each([
  [
    { protocol: doorProtocol + 1, loadctl: '9.0.0' },
    'has loadctl 9.0.0, which speaks another protocol than 0.1.0 here',
    'the image of loadctl 0.1.0',
  ],
  [{ k6: null }, 'has no k6', 'on its PATH'],
  [{ k6: 'v2.3.0' }, 'has k6 v2.3.0, and the script was looked at by k6 2.2.1 here', 'runners.k6'],
  [{ k6: 'v3.2.0' }, 'has k6 v3.2.0', 'runners.k6'],
])('a conductor with %o is refused', (other, message, hint) => {
  const error = complaint(() => refuseAnother({ ...same, ...other }, '0.1.0', '2.2.1'));

  expect(error).toMatchObject({ reason: 'unavailable', message: expect.stringContaining(message), hint: expect.stringContaining(hint) });
});

test('another loadctl of the same protocol, and another k6 of the same minor version, will do', () => {
  expect(() => refuseAnother({ ...same, loadctl: '0.1.1', k6: 'v2.2.9-ext' }, '0.1.0', '2.2.1')).not.toThrow();
});

test('a run whose conductor speaks another protocol is not followed, and can be stopped', () => {
  const run = runId('20261130-090000-aaaaa');
  const follow = (protocol: number) => refuseOtherDoor({ protocol, loadctl: '9.0.0' }, { run, environment: 'prod' }, '0.1.0');
  expect(() => follow(doorProtocol)).not.toThrow();
  expect(complaint(() => follow(doorProtocol + 1))).toMatchObject({
    reason: 'unavailable',
    message: `Run ${run} is conducted by loadctl 9.0.0, which speaks another protocol than 0.1.0 here.`,
    hint: `Use loadctl 9.0.0: attach ${run} --env prod. To end the run: loadctl stop ${run} --env prod.`,
  });
});
