import type { Preview } from '../core/events.js';
import type { Plan } from '../plan/plan.js';
import { renderChanges } from './changes.js';
import { type PlanNotes, renderPlan } from './plan-table.js';
import type { TableStyle } from './table.js';

/** What a question is about, in whole lines; a text of an earlier loadctl as it is. */
export function renderPreview(preview: Preview | string, style: TableStyle): string {
  if (typeof preview === 'string') return preview;
  if (preview.kind === 'changed-rows') return renderChanges(preview.changed);
  return `${renderPlan(preview.plan as Plan, preview.notes as PlanNotes, style)}\n`;
}
