import type { Profile } from '../profile/sections/schema.js';
import type { BackendFacts } from './backend.js';

/** A word of the profile that is checked like all others, and that this version cannot do. */
export interface UnbuiltWord {
  /** Where it is: `runners.backend: kubernetes`. */
  readonly word: string;
  /** What that means, as a sentence. */
  readonly message: string;
}

/** Every such word that the profile uses: with one of them no load is made. */
export function unbuiltWords({ runners: { backend } }: Profile, { isBuilt }: Pick<BackendFacts, 'isBuilt'>): UnbuiltWord[] {
  if (isBuilt) return [];
  return [{ word: `runners.backend: ${backend}`, message: `The ${backend} backend is not implemented yet.` }];
}
