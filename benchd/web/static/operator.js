// Who sits at this tab. Kept until the tab is closed, never in another one.

const KEPT = "benchd.operator";

export function operatorName() {
  try {
    return sessionStorage.getItem(KEPT) ?? "";
  } catch {
    return "";
  }
}

export function keepOperatorName(name) {
  try {
    sessionStorage.setItem(KEPT, name);
  } catch {
    // Then it is entered anew each time.
  }
}
