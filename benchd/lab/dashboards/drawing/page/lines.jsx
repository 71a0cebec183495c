// `timeseries`: TimeSeries, which is published for plugins that were written before 10.
import { LegendDisplayMode } from '@grafana/schema';
import { TimeSeries } from '@grafana/ui';

const USUAL_LEGEND = { showLegend: true, displayMode: LegendDisplayMode.List, placement: 'bottom', calcs: [] };

export function Lines({ panel, frames, timeRange, width, height }) {
  return (
    <TimeSeries
      frames={frames}
      structureRev={1}
      timeRange={timeRange}
      timeZone="Asia/Tokyo"
      width={width}
      height={height}
      legend={{ ...USUAL_LEGEND, ...panel.options.legend }}
      options={panel.options}
    />
  );
}
