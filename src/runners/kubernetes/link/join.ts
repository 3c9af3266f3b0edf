import type { Duplex } from 'node:stream';

/** Makes two streams one: what one says the other hears, each direction to its own end. Where one breaks, so does the other. */
export function join(one: Duplex, other: Duplex): void {
  // world.ts lets everything have any number of listeners; Node makes that one for sockets.
  for (const stream of [one, other]) stream.setMaxListeners(0);
  half(one, other);
  half(other, one);
}

function half(from: Duplex, to: Duplex): void {
  from.pipe(to);
  from.on('error', () => to.destroy());
  from.once('close', () => {
    if (!from.readableEnded) to.destroy();
    else to.resume(); // nobody hears it any more: it comes to its end
  });
}
