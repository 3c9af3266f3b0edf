import { LoadctlError } from '../core/errors.js';
import type { Profile } from '../profile/sections/schema.js';
import type { PlannedEndpoint } from './requests.js';

/** Every id that a test writes begins with this, whatever the run. */
const writtenPrefix = 'load-test-user-';

/** A strategy whose writes the cleanup cannot reach is refused: they would stay for ever (design §2). */
export function refuseUnreachableWrites({ stores, cleanup }: Profile, endpoints: readonly PlannedEndpoint[]): void {
  const writing = endpoints.filter(({ writes }) => writes).map(({ name }) => name);
  const databases = Object.entries(stores).filter(([, store]) => store.kind === 'postgres');
  if (writing.length === 0 || databases.length === 0) return;
  const writes = `The test writes (${writing.join(', ')})`;
  if (cleanup === undefined || cleanup.rows.length === 0) {
    throw new LoadctlError('refused', `${writes}, and the cleanup reaches none of it: cleanup.rows names no table.`, {
      hint: `List the tables that these requests fill, such as {table: ${databases[0]?.[0] ?? 'db'}.reservations, column: user_id}.`,
    });
  }
  const byPrefix = cleanup.rows.some((entry) => !('in' in entry || 'uuid' in entry || 'via' in entry));
  if (byPrefix && !writtenPrefix.startsWith(cleanup.prefix)) {
    throw new LoadctlError(
      'refused',
      `${writes} ids of the form ${writtenPrefix}<run>-…, which do not begin with cleanup.prefix "${cleanup.prefix}".`,
      {
        hint: `Write cleanup.prefix: ${writtenPrefix}`,
      },
    );
  }
}
