import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import { BigValueTextMode, type DataSourceRef, ReduceDataOptionsBuilder } from '@grafana/grafana-foundation-sdk/common';
import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as GraphBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { InfluxQueryBuilder } from './influx-query.js';
import { type PanelWords, panels, type Question, type Unit } from './panels.js';

/** Where the data is. */
export type Source = 'influxdb' | 'prometheus';

/** What differs between the two: the dashboard's uid, that of the provisioned data source, what lists runs. */
const facts = {
  prometheus: { uid: 'loadctl', source: 'loadctl-prometheus', runs: 'label_values(loadctl_run_info, testid)' },
  influxdb: {
    uid: 'loadctl-influxdb',
    source: 'loadctl-influxdb',
    runs: 'SHOW TAG VALUES FROM "loadctl_second" WITH KEY = "testid"',
  },
} as const;

/** The dashboard of one run, for this data source. Grafana's classic model: what all versions since 10 take. */
export function dashboardFor(source: Source): Dashboard {
  const { uid } = facts[source];
  const builder = new DashboardBuilder(`loadctl: a run (${source === 'influxdb' ? 'InfluxDB' : 'Prometheus'})`)
    .uid(uid)
    .tags(['loadctl'])
    .description('Generated: npm run generate:dashboards')
    .time({ from: 'now-30m', to: 'now' })
    .refresh('5s')
    .timezone('browser')
    .variables([sourceVariable(source), runVariable(source)])
    .annotations([...ownMarks(source), grafanaMarks()]);
  for (const words of panels) builder.withPanel(panelOf(words, source));
  return builder.build();
}

function sourceVariable(source: Source) {
  const { source: uid } = facts[source];
  return new DatasourceVariableBuilder('datasource').label('Data source').type(source).current({ text: uid, value: uid });
}

function runVariable(source: Source) {
  return new QueryVariableBuilder('testid')
    .label('Run')
    .datasource(refOf(source))
    .query(facts[source].runs)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalDesc);
}

function refOf(source: Source): DataSourceRef {
  return { type: source, uid: '${datasource}' };
}

/** What happened, out of the data source itself: it takes no token of Grafana's. */
function ownMarks(source: Source) {
  const marks = new AnnotationQueryBuilder().name('what happened').datasource(refOf(source)).enable(true).iconColor('blue');
  if (source === 'influxdb') {
    const query = 'SELECT "text", "tags" FROM "events" WHERE "testid" = \'$testid\' AND $timeFilter';
    return [
      marks.target(asBuilder({ refId: 'marks', query, rawQuery: true, textColumn: 'text', tagsColumn: 'tags', fromAnnotations: true })),
    ];
  }
  return [
    marks.titleFormat('{{phase}}').target(asBuilder({ refId: 'marks', expr: 'loadctl_phase{testid="$testid"} == 1', interval: '1s' })),
  ];
}

/** What an output of kind `grafana` wrote. */
function grafanaMarks() {
  return new AnnotationQueryBuilder()
    .name('annotations')
    .datasource({ type: 'grafana', uid: '-- Grafana --' })
    .enable(true)
    .iconColor('purple')
    .target(asBuilder({ refId: 'annotations', type: 'tags', tags: ['loadctl', '$testid'], limit: 100, matchAny: false }));
}

function asBuilder(query: Readonly<Record<string, unknown>>): Builder<Dataquery> {
  return { build: () => ({ ...query, _implementsDataqueryVariant() {} }) };
}

function panelOf(words: PanelWords, source: Source) {
  const { title, says, width, height, unit, questions } = words;
  const queries = questions.map((question, index) => queryOf(question, { refId: String.fromCharCode(65 + index), words, source }));
  return startOf(words, source)
    .title(title)
    .description(says)
    .datasource(refOf(source))
    .span(width)
    .height(height)
    .unit(unitOf(unit, source))
    .targets(queries);
}

function startOf({ shows, unit }: PanelWords, source: Source): GraphBuilder | TableBuilder | StatBuilder {
  if (shows === 'graph') return new GraphBuilder().spanNulls(5000);
  if (shows === 'table') return new TableBuilder();
  const newest = new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false);
  if (unit !== 'string') return new StatBuilder().reduceOptions(newest);
  // A word is a value in InfluxDB, and a label in Prometheus.
  const shown = source === 'influxdb' ? BigValueTextMode.Value : BigValueTextMode.Name;
  return new StatBuilder().reduceOptions(newest.fields('/.*/')).textMode(shown);
}

/** Grafana's names of units. */
function unitOf(unit: Unit, source: Source): string {
  if (unit === 'duration') return source === 'influxdb' ? 'ms' : 's';
  return unit;
}

interface Asked {
  readonly refId: string;
  readonly words: PanelWords;
  readonly source: Source;
}

function queryOf({ influx, prometheus, legend }: Question, { refId, words: { shows }, source }: Asked): Builder<Dataquery> {
  if (source === 'influxdb') {
    const query = new InfluxQueryBuilder(refId, influx);
    return shows === 'table' ? query.asTable() : query.alias(legend.replace(/\{(\w+)\}/g, '$tag_$1'));
  }
  const query = new DataqueryBuilder()
    .refId(refId)
    .expr(prometheus)
    .legendFormat(legend.replace(/\{(\w+)\}/g, '{{$1}}'));
  if (shows === 'graph') return query.range();
  return shows === 'table' ? query.instant().format(PromQueryFormat.Table) : query.instant();
}
