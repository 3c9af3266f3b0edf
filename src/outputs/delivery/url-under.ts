/** A path under a base URL: what the base has of a login and of parameters stays, as InfluxDB 1 takes `u` and `p` there. */
export function urlUnder(base: string, path: string, parameters: URLSearchParams): string {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}${path}`;
  for (const [name, value] of parameters) url.searchParams.set(name, value);
  url.hash = '';
  return url.href;
}
