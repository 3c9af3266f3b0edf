import { check, sleep } from 'k6';
import http from 'k6/http';

export default function () {
  const answer = http.get(`${__ENV.BASE_URL}/`, { tags: { name: 'GET /' } });
  check(answer, { 'status is 200': ({ status }) => status === 200 });
  sleep(1);
}
