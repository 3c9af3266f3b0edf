import type { Emit } from '../../core/events.js';
import type { World } from '../../core/os.js';
import type { Receipt } from '../../core/receipt.js';
import { redactData } from '../../core/redact-data.js';
import type { Redactor } from '../../core/redactor.js';
import { keepBefore, readBefore } from '../../runs/before-file.js';
import { rememberedFiles } from '../../runs/layout.js';
import { linesInFile } from '../../runs/noted-lines.js';
import { profileOption } from '../frame/context.js';
import type { DataContext } from './lock.js';

/** What of a phase concerns what is remembered from one command to the next. */
interface Remembering {
  readonly profile: { readonly environment: string };
  readonly world: Pick<World, 'cwd'>;
  readonly emit: Emit;
  readonly redact: Redactor;
  readonly origin: { readonly file: string };
}

/** Reads what was counted and seeded from here, and how it is kept; tells where the file is of no use. */
export async function remembered({
  profile,
  world,
  emit,
  redact,
  origin,
}: Remembering): Promise<Pick<DataContext, 'before' | 'keep' | 'named' | 'notes'>> {
  const fail = (file: string, why: string) => emit({ type: 'warned', code: 'removals-not-noted', file, why });
  const { removed, parents } = rememberedFiles(profile.environment);
  const notes = { sets: linesInFile(world.cwd, removed, fail), parents: linesInFile(world.cwd, parents, fail) };
  const { before, unusable } = await readBefore(world.cwd, profile.environment);
  if (unusable !== undefined) emit({ type: 'warned', code: 'before-file-unusable', ...unusable });
  return {
    named: profileOption({ file: origin.file, environment: profile.environment, cwd: world.cwd }),
    ...(before === undefined ? {} : { before }),
    notes,
    keep: async (kept) => {
      await keepBefore(world.cwd, profile.environment, redactData(kept, redact));
      await notes.sets.clear();
    },
  };
}

/** The same emit, which keeps hold of the receipt: one is made whatever ends a cleanup. */
export function withReceipt(emit: Emit): { readonly emit: Emit; receipt(): Receipt | undefined } {
  let made: Receipt | undefined;
  return {
    emit: (event) => {
      if (event.type === 'receipt-made') made = event.receipt;
      emit(event);
    },
    receipt: () => made,
  };
}
