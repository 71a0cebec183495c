// What an instant query has told of one series, as text and colour.
import { getFieldDisplayName } from '@grafana/data';

export function lastShown(frame) {
  const field = frame.fields[1];
  // `calculateLastNotNull` passes over what isn't a number.
  const last = field.values.findLast((value) => value !== null && !Number.isNaN(value)) ?? null;
  return { ...field.display(last), title: field.state.displayName ?? getFieldDisplayName(field, frame) };
}
