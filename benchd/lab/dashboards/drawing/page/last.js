// What an instant query has told of one series, as text and colour.
import { getFieldDisplayName } from '@grafana/data';

export function lastShown(frame) {
  const field = frame.fields[1];
  const last = field.values[field.values.length - 1];
  return { ...field.display(last), title: field.state.displayName ?? getFieldDisplayName(field, frame) };
}
