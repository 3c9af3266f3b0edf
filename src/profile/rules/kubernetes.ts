import type { Path } from '../document/tree.js';
import { type Broken, itemsOf, keysOf, type Rule, valueAt } from './types.js';

/** On a cluster nothing is this machine: what a pod would look for at home, or has no program for, is not there. */
export const kubernetesRule: Rule = ({ profile: { runners }, data }) => {
  if (runners?.backend !== 'kubernetes') return [];
  const monitors = keysOf(data, 'monitors').flatMap((name) => ['ssh', 'here'].map((word): Path => ['monitors', name, word]));
  const words = [['target', 'live', 'command'], ...monitors].filter((path) => valueAt(data, ...path) !== undefined);
  return [
    ...words.map(
      (path): Broken => ({ path, on: 'key', message: `\`${path.at(-1)}\` does not go with \`kubernetes\`: a pod has no such thing` }),
    ),
    ...places(data)
      .filter((path) => isHome(valueAt(data, ...path)))
      .map((path): Broken => ({ path, message: 'with `kubernetes` this is the pod itself: expected an address that pods reach' })),
    ...nameIn(data),
    ...oursIn(data),
  ];
};

/** The value of a label (https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/), of what an environment may be called. */
const labelValue = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

function nameIn(data: unknown): Broken[] {
  if (labelValue.test(String(valueAt(data, 'environment')))) return [];
  const message = 'with `kubernetes` a label says this: expected at most 63 characters, the first and the last no `-`';
  return [{ path: ['environment'], message }];
}

/** What a patch on a pod spec may not have: a merge patch replaces lists as a whole, and what it would take away is what loadctl runs. */
const notPatched: Readonly<Record<string, string>> = {
  containers: 'it would replace the command',
  volumes: 'it would replace those of loadctl',
  restartPolicy: 'a runner that starts again would be another test',
  metadata: 'it is not part of a pod spec: use `labels` and `annotations`',
  spec: 'the patch is on the pod spec itself: leave `spec` out',
};

/** Labels and annotations that loadctl finds its objects by. */
const ours = /^(?:loadctl\/|app\.kubernetes\.io\/(?:name|component|part-of)$|batch\.kubernetes\.io\/)/;

function oursIn(data: unknown): Broken[] {
  const words: Path = ['runners', 'kubernetes'];
  const patches = ['runner', 'conductor'].flatMap((pod) => {
    const way: Path = [...words, 'patch', pod];
    return keysOf(data, ...way).flatMap((key): Broken[] => {
      const why = Object.hasOwn(notPatched, key) ? notPatched[key] : undefined;
      return why === undefined ? [] : [{ path: [...way, key], on: 'key', message: `\`${key}\` cannot be patched: ${why}` }];
    });
  });
  const labels = ['labels', 'annotations'].flatMap((word) =>
    keysOf(data, ...words, word)
      .filter((key) => ours.test(key))
      .map(
        (key): Broken => ({ path: [...words, word, key], on: 'key', message: `\`${key}\` is loadctl’s own: its objects are found by it` }),
      ),
  );
  return [...patches, ...labels];
}

/** Where a profile says what pods have to reach. */
function places(data: unknown): Path[] {
  const stores = keysOf(data, 'stores').flatMap((name): Path[] => [
    ['stores', name, 'url'],
    ...['shards', 'cluster'].flatMap((list) => itemsOf(data, 'stores', name, list).map((_, index): Path => ['stores', name, list, index])),
  ]);
  const colours = ['blue', 'green'].map((colour): Path => ['target', 'colours', colour]);
  return [['target', 'url'], ['target', 'health'], ['target', 'live', 'url'], ...colours, ...stores];
}

/** A URL, or host:port, of loopback; a placeholder is answered before. */
function isHome(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  const host = /^(?:[a-z][a-z\d+.-]*:\/\/)?(?:[^@/]*@)?(\[[^\]]*\]|[^:/?#]*)/i.exec(value)?.[1]?.toLowerCase() ?? '';
  return /^(?:localhost|.*\.localhost|127(?:\.\d{1,3}){3}|\[::1\])\.?$/.test(host);
}
