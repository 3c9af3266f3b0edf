/*
 * What `loadctl run URL` runs: one page, asked for at a steady pace by each virtual user. A script of your own, and limits to
 * hold it against, come from `loadctl init`.
 */
import { check, sleep } from 'k6';
import http from 'k6/http';

const pacing = Number(__ENV.LOADCTL_PACING_MS ?? 1000) / 1000;
const endpoints: Record<string, string> = JSON.parse(__ENV.LOADCTL_ENDPOINTS ?? '{}');

export default function () {
  const begun = Date.now();
  const response = http.get(__ENV.BASE_URL ?? '', { tags: { name: endpoints.page ?? 'GET' } });
  check(response, { 'is answered with 2xx or 3xx': ({ status }) => status >= 200 && status < 400 });
  sleep(Math.max(0, pacing - (Date.now() - begun) / 1000));
}
