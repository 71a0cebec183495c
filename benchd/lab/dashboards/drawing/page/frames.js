// From Prometheus's answers to Grafana's frames, with each field's configuration from the panel.
import { FieldType, getDisplayProcessor, toDataFrame } from '@grafana/data';

// As Grafana's source for Prometheus names a series.
function nameOf(target, metric) {
  if (target.legendFormat) {
    return target.legendFormat.replace(/\{\{\s*(.+?)\s*\}\}/g, (_, label) => metric[label] ?? '');
  }
  const labels = Object.entries(metric).filter(([label]) => label !== '__name__');
  const told = labels.map(([label, value]) => `${label}="${value}"`).join(', ');
  return told ? `${metric.__name__ ?? ''}{${told}}` : (metric.__name__ ?? target.expr);
}

function configOf(panel, name) {
  const { defaults, overrides } = panel.fieldConfig;
  const config = { ...defaults, custom: { ...defaults.custom } };
  for (const { matcher, properties } of overrides ?? []) {
    const fits =
      (matcher.id === 'byName' && matcher.options === name) ||
      (matcher.id === 'byRegexp' && new RegExp(matcher.options.replace(/^\/|\/$/g, '')).test(name));
    if (!fits) continue;
    for (const { id, value } of properties) {
      if (id.startsWith('custom.')) config.custom[id.slice('custom.'.length)] = value;
      else config[id] = value;
    }
  }
  return config;
}

// A gap in what was scraped stays one: the grid of steps is filled with nulls.
function onGrid(values, { from, to, stepMs }) {
  const told = new Map(values.map(([at, value]) => [Math.round(at * 1000), Number(value)]));
  const times = [];
  for (let at = Math.ceil(from / stepMs) * stepMs; at <= to; at += stepMs) times.push(at);
  return [times, times.map((at) => told.get(at) ?? null)];
}

function frameOf(panel, target, series, span, index, theme) {
  const name = nameOf(target, series.metric);
  const [times, values] = series.values ? onGrid(series.values, span) : [[series.value[0] * 1000], [Number(series.value[1])]];
  const config = configOf(panel, name);
  const frame = toDataFrame({
    refId: target.refId,
    fields: [
      { name: 'Time', type: FieldType.time, values: times, config: {} },
      { name: 'Value', type: FieldType.number, values, config, labels: series.metric },
    ],
  });
  const field = frame.fields[1];
  const shown = config.displayName ?? name;
  field.config.displayNameFromDS = name;
  field.state = { seriesIndex: index, displayName: shown };
  field.display = getDisplayProcessor({ field, theme });
  return frame;
}

// All frames of a panel, in the order of its queries.
export function framesOf(panel, answers, span, theme) {
  const found = panel.targets.flatMap((target) =>
    (answers[target.refId]?.result ?? []).map((series) => [target, series, answers[target.refId].stepMs]),
  );
  return found.map(([target, series, stepMs], index) =>
    frameOf(panel, target, series, { ...span, stepMs }, index, theme),
  );
}

// As `getFieldDisplayValues` has it where there is nothing: what null is mapped to.
export function nothingTold(panel, theme) {
  const config = configOf(panel, '');
  const show = getDisplayProcessor({ field: { type: FieldType.other, config }, theme });
  const { text, color } = show(null);
  const display = () => ({ text: text || 'No data', numeric: 0, color });
  return { fields: [undefined, { config, values: [null], state: { displayName: '' }, display }] };
}
