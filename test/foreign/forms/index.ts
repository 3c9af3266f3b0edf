import { type Form, nameOf } from '../form.js';
import { endings } from './endings.js';
import { loads } from './loads.js';
import { modules } from './modules.js';
import { options } from './options.js';
import { requests } from './requests.js';
import { summaries } from './summaries.js';
import { thresholds } from './thresholds.js';

/** Every form, by what it is about. */
export const forms: readonly Form[] = [...loads, ...options, ...requests, ...modules, ...thresholds, ...endings, ...summaries];

const quick = [
  'summary-nothing.js',
  'summary-throws.js',
  'summary-async.js',
  'encoding-and-crypto.js',
  'rejected-promises.js',
  'nothing-but-work.js',
  'web-crypto.js',
  'hosts-and-blocks.js',
  'fed-k6-names.js',
  'summary-files.js',
];

/** Ten that are done within a second and a half each. */
export const quickForms: readonly Form[] = forms.filter((form) => quick.includes(nameOf(form)));
