import { LoadctlError } from '../../core/errors.js';

/** What kept Grafana Cloud from running a test, by k6's last word: it gives the API's status, or says that it did not get there. */
export function cloudFailure(said: string, host: string): LoadctlError {
  const [, byApi, status = byApi] = /\((\d{3})(?:\/[^)]*)?\)|^(?:.*: )?unexpected HTTP error from \S+: (\d{3}) /.exec(said) ?? [];
  const code = status === undefined ? statusInWords(said) : Number(status);
  const words = said.replace(/\.?$/, '');
  if (code === 401) {
    return new LoadctlError('unavailable', `Grafana Cloud does not accept the token; nothing was started: ${words}.`, {
      hint: 'Check runners.cloud.token, and that it is one of the stack in runners.cloud.stack.',
    });
  }
  if (code === 400 || code === 422) {
    return new LoadctlError('invalid-profile', `Grafana Cloud does not take the options of the test; nothing was started: ${words}.`, {
      hint: 'Fix the script’s options, workload.options, or runners.cloud.zones.',
    });
  }
  if (code === 402 || code === 403 || code === 429) {
    return new LoadctlError('unavailable', `Grafana Cloud refused the run; nothing was started: ${words}.`, {
      hint: 'Ask for less load, or have the rights of the token and the limits of the project and its subscription raised.',
    });
  }
  if (code === 404) {
    return new LoadctlError('unavailable', `Grafana Cloud does not know what the run names; nothing was started: ${words}.`, {
      hint: 'Check runners.cloud.stack and runners.cloud.project, and runners.cloud.host where there is one.',
    });
  }
  return new LoadctlError('unavailable', `k6 could not begin the run in Grafana Cloud (${host}): ${words}.`, {
    hint: 'Try again when the service is there; whether a run began all the same, the page of the project shows.',
  });
}

/** What k6 found wrong with a test before it sent anything. */
export function unfitTest(said: string): LoadctlError {
  return new LoadctlError('invalid-profile', `k6 does not take the test; nothing was sent: ${said.replace(/\.?$/, '')}.`, {
    hint: 'Fix the script’s options, or what the profile makes of them: sla (limits are thresholds here), workload.options, runners.cloud.',
  });
}

/** A k6 that was ended while it handed the test over. */
export function cloudLeft(): LoadctlError {
  return new LoadctlError('interrupted', 'loadctl was interrupted while k6 handed the test to Grafana Cloud.', {
    hint: 'Whether a run began all the same, the page of the project shows: abort it there.',
  });
}

/** Where an answer had no body that k6 reads, it has words for two statuses (k6 2.2: internal/cloudapi/httperr). */
function statusInWords(said: string): number | undefined {
  if (said.includes('failed to authenticate with k6 Cloud')) return 401;
  return said.includes('not allowed to upload result to k6 Cloud') ? 403 : undefined;
}
