import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';

/** A query of Grafana's InfluxDB data source, in InfluxQL: the SDK has no type for it. */
export interface InfluxQuery {
  refId: string;
  rawQuery: true;
  query: string;
  resultFormat: 'time_series' | 'table';
  /** The legend: `$tag_name`, `$col`. */
  alias: string;
  _implementsDataqueryVariant(): void;
}

/** Builds an {@link InfluxQuery}. */
export class InfluxQueryBuilder implements Builder<Dataquery> {
  private readonly made: InfluxQuery;

  constructor(refId: string, query: string) {
    this.made = { refId, rawQuery: true, query, resultFormat: 'time_series', alias: '', _implementsDataqueryVariant() {} };
  }

  alias(alias: string): this {
    this.made.alias = alias;
    return this;
  }

  asTable(): this {
    this.made.resultFormat = 'table';
    return this;
  }

  build(): InfluxQuery {
    return this.made;
  }
}
