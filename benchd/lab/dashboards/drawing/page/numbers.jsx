// `stat`: BigValue, as Grafana's own panel uses it.
import { BigValue, BigValueColorMode, BigValueGraphMode, BigValueTextMode, VizRepeater } from '@grafana/ui';
import { VizOrientation } from '@grafana/data';

import { lastShown } from './last.js';

export function Numbers({ panel, frames, width, height, theme }) {
  const { options } = panel;
  const values = frames.map(lastShown);
  const drawOne = ({ value, width: one, height: high }) => (
    <BigValue
      value={value}
      count={values.length}
      width={one}
      height={high}
      theme={theme}
      colorMode={options.colorMode ?? BigValueColorMode.Value}
      graphMode={BigValueGraphMode.None}
      text={options.text}
      textMode={options.textMode ?? BigValueTextMode.Auto}
    />
  );
  return (
    <VizRepeater
      getValues={() => values}
      renderValue={drawOne}
      width={width}
      height={height}
      source={frames}
      itemSpacing={3}
      renderCounter={1}
      autoGrid
      orientation={options.orientation || VizOrientation.Auto}
    />
  );
}
