/** A database as its catalog describes it: what a first profile is proposed from. Nothing of a row is in it. */
export interface Outline {
  /** Tables in schemas of the application, each partitioned one as a whole; by schema and name. */
  readonly tables: readonly OutlineTable[];
}

/** One table of it. */
export interface OutlineTable {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** As a profile names it behind the store: without the schema where the search path finds it. */
  readonly inProfile: string;
  readonly columns: readonly OutlineColumn[];
  /** The columns of its primary key; none where it has none. */
  readonly primaryKey: readonly string[];
  /** The columns of every key of it that holds for all rows, the primary one included. */
  readonly uniqueKeys: readonly (readonly string[])[];
  readonly references: readonly OutlineReference[];
  readonly checks: readonly OutlineCheck[];
  /** The names of its triggers that an insert sets off. */
  readonly triggers: readonly string[];
  readonly rowSecurity: boolean;
  /** Whether other tables inherit from it, over which none of its keys holds; partitions apart. */
  readonly hasHeirs: boolean;
}

/** A column, of a domain what stands behind it. */
export interface OutlineColumn {
  readonly name: string;
  /** As SQL writes it: `numeric(10,2)`, `public.mood`. */
  readonly type: string;
  /** The name of the type without its length: `varchar`, `int4`, `mood`. */
  readonly base: string;
  /** The category of that type, as in `pg_type.typcategory`: `N` numbers, `S` texts, `D` times, `E` enums, `A` arrays. */
  readonly category: string;
  readonly notNull: boolean;
  /** Whether Postgres fills it: by a default, an identity or an expression. */
  readonly isFilled: boolean;
  /** Whether an expression makes it: nobody may write it. */
  readonly isGenerated: boolean;
  /** The most characters of a text; missing where there is no limit. */
  readonly maxLength: number | null;
  /** The labels of an enum, in order; none of other types. */
  readonly labels: readonly string[];
  /** What a domain demands of it, as SQL. */
  readonly demands: readonly string[];
}

/** A foreign key of the table. */
export interface OutlineReference {
  readonly columns: readonly string[];
  /** The `oid` of the table that it leads to, of a partition the whole. */
  readonly to: number;
  readonly toColumns: readonly string[];
}

/** A check constraint. */
export interface OutlineCheck {
  readonly columns: readonly string[];
  /** As SQL, about columns by their names alone. */
  readonly sql: string;
  /** Whether it calls no function but Postgres' own: it may be tried then. */
  readonly isPlain: boolean;
}
