import type { SshTestNetwork } from '../servers/ssh-hosts.js';

/** A profile that runs `../script.js` on the hosts of a test's network. */
export function sshProfile(
  target: string,
  network: SshTestNetwork,
  words: { count: number; workload?: string; runners?: string; more?: string },
): string {
  const { address, config, hosts } = network;
  return `
environment: dev
target: {url: "${target}", health: /healthz}
workload: {script: ../script.js${words.workload === undefined ? '' : `, ${words.workload}`}}
runners:
  backend: ssh
  hosts: [${hosts.map(({ name }) => name).join(', ')}]
  sshConfig: ${config}
  count: ${words.count}
  ${words.runners ?? ''}
guards: {allow: [${[address, ...hosts.map(({ name }) => name)].join(', ')}], confirm: false}
${words.more ?? ''}
`;
}

/** Loads `/work` until it is ended. */
export const endlessScript = `
import http from 'k6/http';
import { sleep } from 'k6';
export default () => { http.get(__ENV.BASE_URL + '/work'); sleep(0.05); };
export function teardown() { http.get(__ENV.BASE_URL + '/torn-down'); }
`;

/** A minute of eight VUs. */
export const oneMinute = 'vus: 8, duration: 60s';
