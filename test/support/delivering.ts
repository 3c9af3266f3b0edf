import { expect } from 'vitest';
import { besideIn } from '../../src/core/beside.js';
import { scope } from '../../src/core/scope.js';
import type { DeliveryNews } from '../../src/outputs/delivery/books.js';
import { type Delivery, deliver } from '../../src/outputs/delivery/deliver.js';
import { post } from '../../src/outputs/delivery/post.js';
import type { Output } from '../../src/outputs/kind/types.js';
import { openWorld } from '../../src/world.js';

const { clock } = openWorld();

/** An output that sends to a real server, and what was told of it. */
export function outputTo(url: string, repeatable: boolean): { output: Output; news: DeliveryNews[] } {
  const send: Output['send'] = ({ id, body }, signal) => post({ url, headers: { id }, body, signal });
  return { output: { unit: 'second', repeatable, trial: () => [], send }, news: [] };
}

/** Runs a delivery beside `body`. */
export async function delivering(
  given: ReturnType<typeof outputTo>,
  body: (delivery: Delivery) => Promise<void>,
  random = () => 1,
): Promise<Delivery> {
  const delivery = deliver(given.output, { clock, tell: (one) => given.news.push(one), random });
  await scope(async (defer) => {
    const errors: unknown[] = [];
    besideIn(defer, (error) => errors.push(error))((over) => delivery.run(over));
    await body(delivery);
    expect(errors).toEqual([]);
  });
  return delivery;
}
