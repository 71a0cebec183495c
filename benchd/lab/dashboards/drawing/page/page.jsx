// The page that is photographed: one dashboard on Grafana's own grid, from what Python left in
// `window.benchdDrawing`: { dashboard, answers, from, to, shown, mode }.
import { createTheme, ThemeContext } from '@grafana/data';
import { GlobalStyles } from '@grafana/ui';
import { createRoot } from 'react-dom/client';

import { DrawnPanel } from './panel.jsx';

// Grafana's GRID_COLUMN_COUNT, GRID_CELL_HEIGHT and GRID_CELL_VMARGIN.
const COLUMNS = 24;
const ROW_PX = 30;
const GAP_PX = 8;
const EDGE_PX = 16;
const HEAD_PX = 76;

function place({ x, y, w, h }, width) {
  const column = (width - 2 * EDGE_PX + GAP_PX) / COLUMNS;
  return {
    left: EDGE_PX + x * column,
    top: HEAD_PX + y * (ROW_PX + GAP_PX),
    width: w * column - GAP_PX,
    height: h * (ROW_PX + GAP_PX) - GAP_PX,
  };
}

function lowestRow(panels) {
  return Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h));
}

function Head({ drawing, theme }) {
  const { dashboard, shown } = drawing;
  const dim = { color: theme.colors.text.secondary, fontSize: 13 };
  return (
    <header style={{ position: 'absolute', left: EDGE_PX, right: EDGE_PX, top: 10 }}>
      <div style={{ display: 'flex', justifyContent: 'space-between' }}>
        <b style={{ fontSize: 18 }}>{dashboard.title}</b>
        <span style={dim}>{shown}</span>
      </div>
      <div style={dim}>{dashboard.description}</div>
    </header>
  );
}

function Page({ drawing, theme, width }) {
  const { panels } = drawing.dashboard;
  const height = HEAD_PX + lowestRow(panels) * (ROW_PX + GAP_PX) + EDGE_PX;
  return (
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <main style={{ position: 'relative', width, height, background: theme.colors.background.canvas }}>
        <Head drawing={drawing} theme={theme} />
        {panels.map((panel) => (
          <DrawnPanel key={panel.id} panel={panel} drawing={drawing} theme={theme} box={place(panel.gridPos, width)} />
        ))}
      </main>
    </ThemeContext.Provider>
  );
}

async function draw() {
  const drawing = window.benchdDrawing;
  const theme = createTheme({ colors: { mode: drawing.mode } });
  const root = createRoot(document.body.appendChild(document.createElement('div')));
  // Grafana keeps how wide it has once measured a text, also with a font that stood in.
  await Promise.all(['400', '500'].map((weight) => document.fonts.load(`${weight} 12px Inter`, 'a受')));
  const draw = (key) => root.render(<Page key={key} drawing={drawing} theme={theme} width={window.innerWidth} />);
  draw('first');
  // Text on a canvas is drawn with whatever font is there: once all are, draw again.
  await document.fonts.ready;
  draw('second');
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  document.querySelector('main').dataset.drawn = '';
}

draw();
