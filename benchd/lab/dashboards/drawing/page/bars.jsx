// `bargauge`: BarGauge, as Grafana's own panel uses it.
import { getDisplayValueAlignmentFactors, VizOrientation } from '@grafana/data';
import { BarGaugeDisplayMode } from '@grafana/schema';
import { BarGauge, VizRepeater } from '@grafana/ui';

import { lastShown } from './last.js';

// Limits that the panel doesn't set are those of all its series.
function limited(config, values) {
  const numbers = values.map(({ numeric }) => numeric).filter(Number.isFinite);
  return { ...config, min: config.min ?? Math.min(...numbers), max: config.max ?? Math.max(...numbers) };
}

export function Bars({ panel, frames, width, height, theme }) {
  const { options } = panel;
  const values = frames.map((frame) => ({
    display: lastShown(frame),
    field: frame.fields[1].config,
  }));
  const all = values.map(({ display }) => display);
  const drawOne = ({ value, width: wide, height: high, orientation, alignmentFactors, count }) => (
    <BarGauge
      value={value.display}
      field={limited(value.field, all)}
      width={wide}
      height={high}
      orientation={orientation}
      theme={theme}
      text={options.text}
      itemSpacing={options.displayMode === 'lcd' ? 2 : 10}
      displayMode={options.displayMode ?? BarGaugeDisplayMode.Gradient}
      showUnfilled={options.showUnfilled ?? true}
      valueDisplayMode={options.valueMode}
      namePlacement={options.namePlacement}
      alignmentFactors={count > 1 ? alignmentFactors : undefined}
    />
  );
  return (
    <div style={{ width, height, overflow: 'hidden auto' }}>
      <VizRepeater
        getValues={() => values}
        getAlignmentFactors={getDisplayValueAlignmentFactors}
        renderValue={drawOne}
        width={width}
        height={height}
        minVizWidth={options.minVizWidth ?? 8}
        minVizHeight={options.minVizHeight ?? 16}
        maxVizHeight={options.maxVizHeight ?? 300}
        source={frames}
        itemSpacing={10}
        renderCounter={1}
        orientation={options.orientation ?? VizOrientation.Horizontal}
      />
    </div>
  );
}
