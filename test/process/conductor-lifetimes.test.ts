import { truncateSync } from 'node:fs';
import { request } from 'node:http';
import { Duplex, Transform } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { DoorAway } from '../../src/door/client.js';
import { hashHeader, maxHandInBytes, sha256Of, tokenHeader } from '../../src/door/protocol.js';
import { dialTo, doorOver, followed, handInFor, startConductor, type WaitingConductor } from '../support/conductor.js';
import { workplace } from '../support/loadctl.js';

/** A profile whose run ends before it has a directory: no load is made. */
const unreadable = {
  'profiles/dev.yaml':
    'target: {url: "http://127.0.0.1:1"}\nworkload: {script: ../s.js, vus: 1, duration: 1s, env: {A: "${NOT_SET_ANYWHERE}"}}\n',
  's.js': 'export default () => {};',
};

/** Begins a hand-in of so many bytes, and sends the first `sent` of them. */
function begin({ port, token }: WaitingConductor, tar: Buffer, sent: number, length = tar.length) {
  const headers = { [tokenHeader]: token, [hashHeader]: sha256Of(tar), 'content-length': length };
  const asked = request({ host: '127.0.0.1', port, method: 'POST', path: '/hand-in', headers });
  asked.flushHeaders();
  if (sent > 0) asked.write(tar.subarray(0, sent));
  return asked;
}

async function leave({ process, said }: WaitingConductor): Promise<void> {
  process.kill('SIGTERM');
  await said;
}

const statusOf = (asked: ReturnType<typeof request>) =>
  new Promise<number>((resolve, reject) => {
    asked.once('response', (answer) => resolve(answer.resume().statusCode ?? 0)).once('error', reject);
  });

describe('a conductor that waits for its hand-in', () => {
  test('ends where none comes, and says what became of it', async () => {
    const begun = performance.now();
    const { said } = await startConductor(workplace(), { args: ['--wait', '1'] });
    const { code, stderr } = await said;
    expect([code, stderr]).toEqual([115, expect.stringContaining('Nothing was handed in within 1 s.')]);
    expect(performance.now() - begun).toBeGreaterThan(1000);
  });

  test('waits on while one comes, however slowly, and takes it; one that is cut off counts for nothing', async () => {
    const tar = await handInFor(workplace(unreadable));
    const conductor = await startConductor(workplace(), { args: ['--wait', '2.5'] });
    begin(conductor, tar, 100)
      .once('error', () => {})
      .destroy();
    const slow = begin(conductor, tar, 1).once('error', () => {});
    const begun = performance.now();
    for (let sent = 1; performance.now() - begun < 5000; sent += 1) {
      slow.write(tar.subarray(sent, sent + 1));
      await new Promise((resolve) => setTimeout(resolve, 300)); // the line is that slow
    }
    slow.destroy();
    await new Promise((resolve) => slow.once('close', resolve));
    await conductor.door.handIn(tar, conductor.token); // twice as long after its beginning as it waits in silence
    expect((await followed(conductor.door)).events).toEqual([]);
    await leave(conductor);
  });

  test('refuses one that is too large before it is sent', async () => {
    const conductor = await startConductor(workplace());
    expect(await statusOf(begin(conductor, Buffer.alloc(10), 10, maxHandInBytes + 1))).toBe(413);
    expect((await conductor.door.state()).state).toBe('waiting');
    await leave(conductor);
  });

  test('takes the same twice for once, also while it is still being unpacked', async () => {
    const conductor = await startConductor(workplace());
    const tar = await handInFor(workplace(unreadable));
    const statuses = await Promise.all([1, 2, 3].map(() => statusOf(begin(conductor, tar, tar.length).end())));
    expect(statuses.sort()).toEqual([200, 200, 202]);
    await followed(conductor.door);
    await leave(conductor);
  });

  test('a hand-in that arrives damaged is sent again', async () => {
    const conductor = await startConductor(workplace());
    const damaging = async () => {
      const connection = await dialTo(conductor.port)();
      // The name of a file in the tar.
      const damage = (piece: Buffer) => Buffer.from(piece.toString('latin1').replace('hand-in.json', 'hand-in.jsom'), 'latin1');
      const way = new Transform({ transform: (piece: Buffer, _, done) => done(null, damage(piece)) });
      way.pipe(connection);
      return Duplex.from({ writable: way, readable: connection });
    };
    const tar = await handInFor(workplace(unreadable));
    const damaged = doorOver(damaging).handIn(tar, conductor.token);
    await expect(damaged).rejects.toThrow(DoorAway); // as if the connection had broken: whoever hands in tries again
    await expect(damaged).rejects.toThrow(/damaged on its way/);
    await conductor.door.handIn(tar, conductor.token);
    await followed(conductor.door);
    await leave(conductor);
  });
});

test('what is too large to be handed in is refused where it is, by the largest files', async () => {
  const place = workplace({ ...unreadable, 's.js': "const users = open('./users.csv');\nexport default () => {};" });
  const file = place.file('users.csv', '');
  truncateSync(file, maxHandInBytes);
  await expect(handInFor(place)).rejects.toMatchObject({
    reason: 'invalid-profile',
    lines: expect.arrayContaining([`  ${file}  128 MiB`]),
  });
});

test('the first complete copy ends the conductor soon after, and not at once: who else copies gets to end', async () => {
  const conductor = await startConductor(workplace(), { args: ['--linger', '1'] });
  await conductor.door.handIn(await handInFor(workplace(unreadable)), conductor.token);
  await followed(conductor.door);
  const { sha256 } = await conductor.door.files();
  await conductor.door.collected(sha256);
  const begun = performance.now();
  await conductor.door.collected(sha256); // another one
  expect((await conductor.said).code).toBe(104);
  expect(performance.now() - begun).toBeGreaterThan(900);
});

test('where nobody comes it ends after keepFor; weeks are no shorter than they are', async () => {
  const ends = async (keepMs: number) => {
    const conductor = await startConductor(workplace());
    await conductor.door.handIn(await handInFor(workplace(unreadable), { patience: { keepMs } }), conductor.token);
    await followed(conductor.door);
    return conductor;
  };
  expect((await (await ends(300)).said).code).toBe(104);
  const patient = await ends(30 * 86_400_000); // more than a timer takes
  // A timer that takes no weeks is over at once: by the tenth answer it would be gone.
  for (let answers = 0; answers < 10; answers += 1) expect((await patient.door.state()).state).toBe('over');
  await leave(patient);
});
