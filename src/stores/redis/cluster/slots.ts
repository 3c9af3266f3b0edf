/** How many slots the keys of a cluster are dealt to. */
export const slotCount = 16_384;

/** The slot of a key: CRC16 (XMODEM) of its hash tag, the part in its first braces; of the whole key where there is none. */
export function slotOf(key: string | Buffer): number {
  if (typeof key === 'string' && isPlain(key)) return checksum(key.length, (index) => key.charCodeAt(index)) % slotCount;
  const bytes = hashTag(typeof key === 'string' ? Buffer.from(key) : key);
  return checksum(bytes.length, (index) => bytes[index] ?? 0) % slotCount;
}

/** Whether each character is a byte, and none begins a tag. */
function isPlain(key: string): boolean {
  for (let index = 0; index < key.length; index++) if (key.charCodeAt(index) > 0x7a) return false; // z, then {
  return true;
}

function hashTag(key: Buffer): Buffer {
  const open = key.indexOf('{');
  const close = open === -1 ? -1 : key.indexOf('}', open + 1);
  return close > open + 1 ? key.subarray(open + 1, close) : key;
}

function checksum(length: number, byteAt: (index: number) => number): number {
  let sum = 0;
  for (let index = 0; index < length; index++) sum = ((sum << 8) & 0xffff) ^ (table[(sum >> 8) ^ byteAt(index)] ?? 0);
  return sum;
}

const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let sum = byte << 8;
  for (let bit = 0; bit < 8; bit++) sum = (sum << 1) ^ (sum & 0x8000 ? 0x1021 : 0);
  return sum & 0xffff;
});
