import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { clusterFolder, inNode, kubectl } from '../../cluster/cluster.js';
import { loadctlImage } from '../../cluster/images.js';
import type { Namespace } from '../../cluster/namespace.js';

const shipped = fileURLToPath(new URL('../../../deploy/kustomize/', import.meta.url));

/** An object as a manifest has it. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

/** One of Role's rules. */
export interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** The objects of one of deploy/kustomize's files. */
export function manifestsOf(file: string): Manifest[] {
  return parseAllDocuments(readFileSync(join(shipped, file), 'utf8')).map((document) => document.toJS());
}

/** The rules of the Role in such a file. */
export function rulesOf(file: string): readonly Rule[] {
  const role = manifestsOf(file).find(({ kind }) => kind === 'Role');
  return (role?.rules ?? []) as readonly Rule[];
}

/** What kubectl makes of deploy/kustomize, and of the changes that its guide asks for. */
export async function kustomized(
  namespace: string,
  files: Readonly<Record<string, string>>,
  patches: readonly object[],
): Promise<Manifest[]> {
  const folder = mkdtempSync(join(tmpdir(), 'loadctl-deploy-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(shipped, folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const kustomization = join(folder, 'kustomization.yaml');
  const [newName, newTag] = loadctlImage.split(':');
  const given = parse(readFileSync(kustomization, 'utf8'));
  writeFileSync(kustomization, stringify({ ...given, namespace, images: [{ name: 'loadctl', newName, newTag }], patches }));
  const { stdout } = await execa(join(clusterFolder(), 'kube'), ['kubectl', 'kustomize', folder]);
  return parseAllDocuments(stdout).map((document) => document.toJS());
}

/** A volume on node 1, bound to a claim, and the folder of it there; both are gone when the test is over. */
export async function volumeFor(
  { name: namespace }: Namespace,
  claim: string,
): Promise<{ readonly name: string; readonly folder: string }> {
  const name = `runs-${randomBytes(4).toString('hex')}`;
  const folder = `/var/lib/${name}`;
  await inNode(1, ['mkdir', folder]);
  const terms = [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['n1'] }] }];
  const spec = {
    capacity: { storage: '10Gi' },
    accessModes: ['ReadWriteOnce'],
    persistentVolumeReclaimPolicy: 'Retain',
    storageClassName: '',
    claimRef: { namespace, name: claim },
    local: { path: folder },
    nodeAffinity: { required: { nodeSelectorTerms: terms } },
  };
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name }, spec });
  await kubectl(['create', '--filename=-'], { input });
  onTestFinished(async () => {
    await kubectl(['delete', 'persistentvolume', name, '--wait=false']);
    await inNode(1, ['rm', '-rf', folder]);
  });
  return { name, folder };
}
