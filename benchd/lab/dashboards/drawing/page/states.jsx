// `state-timeline`: Grafana publishes no such component. Drawn on its UPlotChart, with its
// display processor for colours and its VizLegend below, by this file.
import { UPlotChart, UPlotConfigBuilder, VizLayout, VizLegend } from '@grafana/ui';
import { AxisPlacement, LegendDisplayMode, ScaleDirection, ScaleOrientation } from '@grafana/schema';

const ROW_FILLED = 0.9; // Grafana's rowHeight, where the panel sets none

// Grafana draws a gap where its value, null, is mapped to something.
function drawsGaps({ config }) {
  return (config.mappings ?? []).some(({ type, options }) => type === 'special' && options.match === 'null');
}

// From where to where a row keeps one value, as places in its list.
function runs(field) {
  const found = [];
  field.values.forEach((value, at) => {
    const last = found[found.length - 1];
    if (last && last.value === value) last.end = at + 1;
    else found.push({ value, start: at, end: at + 1 });
  });
  return drawsGaps(field) ? found : found.filter(({ value }) => value !== null);
}

function paint(plot, frames, filled) {
  const { ctx, bbox } = plot;
  const high = bbox.height / frames.length;
  const times = frames[0].fields[0].values;
  const right = (at) => (at < times.length ? plot.valToPos(times[at], 'x', true) : bbox.left + bbox.width);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  frames.forEach((frame, row) => {
    const field = frame.fields[1];
    for (const { value, start, end } of runs(field)) {
      const left = plot.valToPos(times[start], 'x', true);
      ctx.fillStyle = field.display(value).color;
      ctx.fillRect(left, bbox.top + (row + (1 - filled) / 2) * high, right(end) - left, high * filled);
    }
  });
  ctx.restore();
}

function configured(frames, timeRange, theme, filled) {
  const builder = new UPlotConfigBuilder('Asia/Tokyo');
  const names = frames.map((frame) => frame.fields[1].state.displayName);
  const ends = [timeRange.from.valueOf(), timeRange.to.valueOf()];
  builder.addScale({
    scaleKey: 'x', isTime: true, range: () => ends,
    orientation: ScaleOrientation.Horizontal, direction: ScaleDirection.Right,
  });
  builder.addScale({
    scaleKey: 'y', isTime: false, range: [0, frames.length],
    orientation: ScaleOrientation.Vertical, direction: ScaleDirection.Down,
  });
  builder.addAxis({ scaleKey: 'x', isTime: true, placement: AxisPlacement.Bottom, timeZone: 'Asia/Tokyo', theme, grid: { show: false } });
  builder.addAxis({
    scaleKey: 'y', placement: AxisPlacement.Left, theme, grid: { show: false }, ticks: { show: false },
    splits: () => names.map((_, row) => row + 0.5),
    values: () => names,
  });
  builder.addSeries({ scaleKey: 'y', theme, show: true, drawStyle: 'line', lineWidth: 0, pointSize: 0, showPoints: 'never', pxAlign: true });
  builder.addHook('draw', (plot) => paint(plot, frames, filled));
  return builder;
}

// Each state that occurs once, in the order of its number.
function legendOf(frames) {
  const field = frames[0].fields[1];
  const told = frames.flatMap((frame) => frame.fields[1].values);
  const seen = [...new Set(told)].filter((value) => value !== null || drawsGaps(field));
  return seen.sort((a, b) => a - b).map((value) => {
    const { text, color } = field.display(value);
    return { label: text, color, yAxis: 1, disabled: false };
  });
}

export function States({ panel, frames, timeRange, width, height, theme }) {
  const builder = configured(frames, timeRange, theme, panel.options.rowHeight ?? ROW_FILLED);
  const times = frames[0].fields[0].values;
  const legend = (
    <VizLayout.Legend placement="bottom">
      <VizLegend items={legendOf(frames)} displayMode={LegendDisplayMode.List} placement="bottom" />
    </VizLayout.Legend>
  );
  return (
    <VizLayout width={width} height={height} legend={legend}>
      {(wide, high) => <UPlotChart config={builder} data={[times, times.map(() => null)]} width={wide} height={high} />}
    </VizLayout>
  );
}
