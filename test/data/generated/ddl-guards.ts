import { sqlName, type TableModel } from './model.js';

/** Row security that hides nothing. */
export function policy({ flavour, ...table }: TableModel): string[] {
  if (!flavour.openPolicy) return [];
  return [`ALTER TABLE ${sqlName(table)} ENABLE ROW LEVEL SECURITY`, `CREATE POLICY everybody ON ${sqlName(table)} USING (true)`];
}

/** A trigger that writes nothing that is seeded. */
export function tidyTrigger({ flavour, index, ...table }: TableModel): string[] {
  if (!flavour.tidyTrigger) return [];
  return [
    `CREATE FUNCTION tidy${index}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note := coalesce(NEW.note, 'tidied'); RETURN NEW; END $$`,
    `CREATE TRIGGER tidy BEFORE INSERT ON ${sqlName(table)} FOR EACH ROW EXECUTE FUNCTION tidy${index}()`,
  ];
}
