// One panel in Grafana's own frame; what is in it is drawn by the panel's type.
import { dateTime } from '@grafana/data';
import { PanelChrome } from '@grafana/ui';

import { Bars } from './bars.jsx';
import { framesOf, nothingTold } from './frames.js';
import { Lines } from './lines.jsx';
import { Numbers } from './numbers.jsx';
import { States } from './states.jsx';

const DRAWN_BY = {
  bargauge: Bars,
  stat: Numbers,
  'state-timeline': States,
  timeseries: Lines,
};

// Without any series, Grafana gives these one value without a name.
const SHOWS_NOTHING = new Set(['stat', 'bargauge']);

export function DrawnPanel({ panel, drawing, theme, box }) {
  const Kind = DRAWN_BY[panel.type];
  const { from, to } = drawing;
  const told = framesOf(panel, drawing.answers[panel.id] ?? {}, { from, to }, theme);
  const frames = told.length === 0 && SHOWS_NOTHING.has(panel.type) ? [nothingTold(panel, theme)] : told;
  const timeRange = { from: dateTime(from), to: dateTime(to), raw: { from: dateTime(from), to: dateTime(to) } };
  return (
    <section style={{ position: 'absolute', ...box }} data-panel={panel.id}>
      <PanelChrome title={panel.title} description={panel.description} width={box.width} height={box.height}>
        {(width, height) =>
          frames.length === 0 ? (
            <NoData width={width} height={height} theme={theme} text={panel.fieldConfig.defaults.noValue} />
          ) : (
            <Kind {...{ panel, frames, timeRange, width, height, theme }} />
          )
        }
      </PanelChrome>
    </section>
  );
}

function NoData({ width, height, theme, text }) {
  const style = { width, height, display: 'grid', placeItems: 'center', color: theme.colors.text.secondary };
  return <div style={style} data-empty="">{text ?? 'No data'}</div>;
}
