import { createHash } from 'node:crypto';
import type { ErrorData } from '../core/errors.js';
import type { RunId } from '../core/ids.js';
import type { Milliseconds } from '../core/quantities.js';

/** The version of what is said through a conductor's door; both sides have to be of the same one. */
export const doorProtocol = 3;

/** What can be asked at the door, by HTTP on the conductor's loopback. */
export const doorPaths = {
  /** GET: a {@link DoorState}. */
  state: '/',
  /** POST: a tar file ({@link HandIn}), with {@link tokenHeader} and {@link hashHeader}. */
  handIn: '/hand-in',
  /** GET `?from=N`: the events from number N on (0 is the first), a line each, as they come; 204 where there are no more. */
  events: '/events',
  /** POST: a {@link StopWish}. */
  stop: '/stop',
  /** POST: an {@link Answer}. */
  answer: '/answer',
  /** GET: a {@link FileList}; below it, a file of the run directory, or a `Range` of its bytes. 409 while the run goes on. */
  files: '/files',
  /** GET, below it: a file of {@link FileList.remembered}, as those of the run directory. */
  remembered: '/remembered',
  /** POST: the {@link FileList.sha256} of a list that was copied as a whole. */
  collected: '/collected',
} as const;

/** Says who may hand in. */
export const tokenHeader = 'loadctl-token';
/** The SHA-256 of what is sent, in hex. */
export const hashHeader = 'loadctl-sha256';

/** A follower asks again this often, at least: that is how it is known to be there. */
export const followMs: Milliseconds = 5000;

/** A script with all that it opens: it is in the conductor's memory for a moment, which has 512 MiB. */
export const maxHandInBytes = 128 * 1024 * 1024;

/** What a conductor says of itself. */
export interface DoorState {
  readonly protocol: number;
  readonly loadctl: string;
  /** The version of its k6; null where it has none. */
  readonly k6: string | null;
  readonly state: 'waiting' | 'running' | 'over';
  /** Once its directory is open. */
  readonly run?: RunId;
  /** The question that waits for an answer now. */
  readonly question?: number;
  /** Once it is over, where an error ended it that no event tells. */
  readonly error?: ErrorData;
}

/** How a run is to end: as a signal to its loadctl would have it, or as `loadctl stop` does. */
export type StopWish = { readonly signal: 'SIGINT' | 'SIGTERM' } | { readonly by: { readonly user: string; readonly host: string } };

/** What was typed in answer to a question; null: nobody will. */
export interface Answer {
  readonly question: number;
  readonly text: string | null;
}

/** A file of a run directory. */
export interface ListedFile {
  /** Relative to the directory, with `/`. */
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

/** What is there to be copied once a command is over. */
export interface FileList {
  /** The files of its run directory; none where it came to no directory. */
  readonly files: readonly ListedFile[];
  /** What of the environment's data is remembered from now on, beside runs; missing where the command did not touch data. */
  readonly remembered?: readonly ListedFile[];
  /** Of the list itself ({@link hashOfList}): who says it back has copied all of it. */
  readonly sha256: string;
}

/** The hash that a {@link FileList} has to have. */
export function hashOfList({ files, remembered }: Pick<FileList, 'files' | 'remembered'>): string {
  return sha256Of(JSON.stringify([files, remembered ?? null]));
}

/** The SHA-256 of bytes or a text, in hex. */
export function sha256Of(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}
