import { parseDuration, parsePercent, parseRate } from '../core/quantities.js';

const number = /^[-+]?\d[\d_]{0,14}(\.\d{1,15})?(e[-+]?\d{1,3})?$/i;
const label = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
const address = '\\d{1,3}(\\.\\d{1,3}){3}|\\[[0-9a-f:.]+\\]';
const host = new RegExp(`^(localhost|${address}|${label}(\\.${label})*\\.[a-z]{2,24})(:\\d{1,5})?$`);
const hostWithPort = new RegExp(`^${label}:\\d{1,5}$`);
const origin = new RegExp(`^[a-z][a-z0-9+.-]*://(${address}|${label}(\\.${label})*)(:\\d{1,5})?/?$`, 'i');

/** Whether a variable's value is never a secret, whatever it is for: a duration, a share, a rate, yes or no, `scheme://host:port`. */
export function isHarmless(value: string): boolean {
  const quantity = [parseDuration, parsePercent, parseRate].some((parse) => parse(value) !== undefined);
  return value.trim() === '' || (quantity && value.trim() !== '0') || /^(true|false|on|off|yes|no)$/i.test(value) || origin.test(value);
}

/** Whether a variable's value shows that it is not a secret: {@link isHarmless}, a number, or a host. */
export function isPlainValue(value: string): boolean {
  return isHarmless(value) || number.test(value) || host.test(value) || hostWithPort.test(value);
}
